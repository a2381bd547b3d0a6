"""Mappings of published data sets that come with the package."""

from functools import cache
from importlib import resources
from pathlib import Path

from judgesmith.errors import RecipeError, nearest
from judgesmith.sources.load_mapping import load_mapping
from judgesmith.sources.mapping import Mapping

OWN = ("plain", "plain_scores", "judged", "labelled")
"""Mappings of files with our own column names; they are no data sets."""


def _folder() -> Path:
    return Path(str(resources.files(__name__)))


@cache
def shipped() -> tuple[str, ...]:
    """Names of the data sets that can be read without writing a mapping, in alphabetical order."""
    found = {path.stem for path in _folder().glob("*.yaml")}
    return tuple(sorted(found - set(OWN)))


@cache
def load_shipped(name: str) -> Mapping:
    """The mapping of a shipped data set; an unknown name lists the known ones."""
    if name not in (*shipped(), *OWN):
        raise RecipeError(f"unknown benchmark {name!r}; {nearest(name, shipped())}")
    return load_mapping(_folder() / f"{name}.yaml")
