"""The recipes on the page about published sets are valid, section by section."""

import re
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from judgesmith.backends.hub import parse_name
from judgesmith.judging.library import LIBRARY
from judgesmith.stages import items, labels, questions, responses, rows, split

PAGE = Path(__file__).resolve().parents[3] / "docs" / "howto" / "published-training-sets.md"
STAGES = {
    "questions": questions, "responses": responses, "items": items, "split": split,
    "labels": labels, "rows": rows,
}  # fmt: skip
BLOCKS = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_page_has_its_recipes() -> None:
    assert len(BLOCKS) == 5


@pytest.mark.parametrize(
    "block",
    [
        b
        for b in BLOCKS
        if "hf://datasets/BAAI/JudgeLM-100K/judgelm_train_100k.jsonl     one" not in b
    ],
)
def test_sections_are_valid_and_name_dialects_that_exist(block: str) -> None:
    tree = yaml.safe_load(dedent(block))
    sections = [name for name in tree if name in STAGES]
    assert sections
    for name in sections:
        config = STAGES[name].Config.model_validate(tree[name])
        assert set(config.dialects) <= set(LIBRARY)


def test_names_on_the_hub_are_of_the_form() -> None:
    names = re.findall(r"hf://[\w./#*-]+", PAGE.read_text(encoding="utf-8"))
    assert len({parse_name(name).repository for name in names}) == 4
