"""PandaLM's test set: 999 pairs with the verdicts of three people. Nothing to train on.

`path` is `testset-v1.json` of the repository, or the folder that holds it. A pair is on the test
side. 1 and 2 name the better response, 0 is a tie. Six responses are stored as true or false.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from judgesmith.records import LETTERS, TIE, AnnotatorKind, Split, choice
from judgesmith.runs.jsonl import validate_row
from judgesmith.sources import About, Dropped
from judgesmith.sources.published.files import stream_rows
from judgesmith.sources.published.readers import (
    Given,
    PublishedRow,
    PublishedSet,
    make_question,
    make_response,
    one_of,
    text_or_none,
)

SOURCE, LICENCE = "PandaLM test set", "Apache-2.0"
FILE = "testset-v1.json"
ANNOTATORS = ("annotator1", "annotator2", "annotator3")
VERDICTS = {"0": TIE, "1": LETTERS[0], "2": LETTERS[1]}


class PandaRow(BaseModel):
    """The columns that are read; `cmp_key` names both models, the first one's first."""

    model_config = ConfigDict(extra="ignore")
    motivation_app: str
    cmp_key: str
    instruction: str
    input: str
    response1: str | bool
    response2: str | bool
    annotator1: Any
    annotator2: Any
    annotator3: Any


def read_published(path: Path, about: About) -> Iterator[PublishedRow | Dropped]:
    """Each pair with its three verdicts."""
    for where, raw in stream_rows(path, names=(FILE,)):
        row = validate_row(raw, PandaRow, where=where)
        question = make_question(
            SOURCE, about.licence or LICENCE, row.instruction, context=text_or_none(row.input),
            category=row.motivation_app,
        )  # fmt: skip
        first, _, second = row.cmp_key.partition("_")
        responses = tuple(
            make_response(question, model, str(text))
            for model, text in ((first, row.response1), (second, row.response2))
        )
        given = tuple(
            Given(
                verdict=choice(_verdict(getattr(row, name), where, name)),
                rationale=None,
                dialect=None,
                annotator=f"PandaLM {name}",
                annotator_kind=AnnotatorKind.PERSON,
                licence=about.licence or LICENCE,
            )
            for name in ANNOTATORS
        )
        yield PublishedRow(where, question, responses, given, "pairs", Split.TEST)


def _verdict(value: object, where: str, field: str) -> str:
    return VERDICTS[one_of(str(value), VERDICTS, where=where, field=field)]


_SET = PublishedSet("pandalm", read_published)
read_questions, read_responses = _SET.questions, _SET.responses
read_items, read_labels = _SET.items, _SET.labels
