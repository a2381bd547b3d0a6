"""Items to be labelled, made once; and servers that fail on command."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).resolve().parents[1] / "servers"))
from labelling import ITEMS, Run, recipe

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
QUOTAS = {"clear_bias_vs_clean": 5, "subtle_bias_vs_clean": 2, "both_clean_tie": 5}
Labelling = Callable[..., Run]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("wide")
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def tree() -> dict[str, Any]:
    """The tiny recipe's first stages, with as many items as the scale asks for."""
    tree: dict[str, Any] = yaml.safe_load(TINY.read_text())
    tree["questions"]["sources"][0]["count"] = ITEMS * 6 // 5
    for bucket in tree["items"]["buckets"]:
        bucket["quota"] = ITEMS * QUOTAS[bucket["name"]] // 10
    train, dev = ITEMS * 9 // 10, ITEMS // 10
    tree["split"] = {"level": "question", "test_share": 0, "dev_share": 0.2}
    tree["split"] |= {"max_train": train, "max_dev": dev}
    wanted = ("name", "task", "seed", "questions", "responses", "items", "split")
    return {name: tree[name] for name in wanted}


@pytest.fixture(scope="session")
def unlabelled(tree: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run up to its items."""
    folder = tmp_path_factory.mktemp("unlabelled")
    path = recipe(tree, folder / "recipe.yaml", {"url": "http://127.0.0.1:9/v1"})
    run = Run(path, folder / "run", "--until", "split")
    run.end()
    assert len(run.rows("split/items.jsonl")) == ITEMS
    return run.folder


@pytest.fixture
def labelling(tree: dict[str, Any], unlabelled: Path, tmp_path: Path) -> Labelling:
    """A run whose items are still to be labelled by a teacher at an endpoint."""

    def labelling(name: str, endpoint: dict[str, Any], *more: object, **teachers: Any) -> Run:
        path = recipe(tree, tmp_path / f"{name}.yaml", endpoint, **teachers)
        shutil.copytree(unlabelled, tmp_path / name)
        return Run(path, tmp_path / name, *more)

    return labelling
