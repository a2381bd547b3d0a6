"""In which prompts a judgment is learnt: on its own scale, and with nothing in sight it never saw.

Rows once took any verdict that another dialect's scale happened to hold: a 3 of 1 to 5 became a 3
of 1 to 10, a verdict given without a reference was shown with one, and the last check, which holds
a row against the judgments of its item, looked at none of that.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Label,
    Question,
    Response,
    Scores,
    SftRow,
    Split,
    Status,
    Verdict,
    choice,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.stages import rows
from judgesmith.stages.rows.conditions import OTHER_CONDITION, OTHER_SCALE, UNSEEN
from judgesmith.tasks import load_task

OWN = {
    "name": "own", "kind": "single", "scale": {"low": 1, "high": 10}, "direction": "better",
    "user": "{{ question }}{{ responses[0].text }}",
}  # fmt: skip
DIALECTS = {
    "ten": Dialect.model_validate({**OWN, "name": "ten"}),
    "five": Dialect.model_validate({**OWN, "name": "five", "scale": Scale(low=1, high=5)}),
    "faults": Dialect.model_validate({**OWN, "name": "faults", "direction": "worse"}),
    "ten-short": Dialect.model_validate({
        **OWN, "name": "ten-short", "user": "{{ responses[0].text }}",
    }),
    "ten-reference": Dialect.model_validate({
        **OWN, "name": "ten-reference", "user": "{{ reference }}{{ responses[0].text }}",
    }),
    "ten-document": Dialect.model_validate({
        **OWN, "name": "ten-document", "user": "{{ grounding }}{{ responses[0].text }}",
    }),
    "ten-both": Dialect.model_validate({
        **OWN, "name": "ten-both", "user": "{{ reference }}{{ grounding }}{{ responses[0].text }}",
    }),
    "ten-own-answer": Dialect.model_validate({
        **OWN, "name": "ten-own-answer", "user": "{{ reference }}{{ responses[0].text }}",
        "reference_user": "{{ question }}",
    }),
}  # fmt: skip
KNOWN = {**LIBRARY, **DIALECTS}
COUNT = 6


class Judged:
    """A run of a few items with labels in stated dialects; rows are made by `rows`."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self.dir = RunDir(folder, Header(name="t", task="general", seed=7, dialects=DIALECTS))
        self.kind = kind
        self.questions = [self._question(n) for n in range(COUNT)]
        made = [[self._response(q, n) for n in range(2)] for q in self.questions]
        self.items = [self._item(q, both) for q, both in zip(self.questions, made, strict=True)]
        self.dir.write("questions/questions.jsonl", self.questions)
        self.dir.write("responses/responses.jsonl", [one for both in made for one in both])
        self.dir.write("split/items.jsonl", self.items)

    def _question(self, n: int) -> Question:
        return Question.make(
            source="t", licence="t", group_id=f"g{n}", template_id=None, category=None,
            context=None, text=f"What is {n}?", choices=None, key=None, reference=f"It is {n}.",
            grounding=f"A page about {n}.",
            task={"criterion": "Is it right?", "levels": list("abcde")},
        )  # fmt: skip

    def _response(self, question: Question, n: int) -> Response:
        return Response.make(
            source="t", licence="t", question_id=question.id, model=f"m{n}", sampling={},
            text=f"{question.text} Say {n}.", finish=Finish.STOP, task={},
        )  # fmt: skip

    def _item(self, question: Question, shown: Sequence[Response]) -> Item:
        count = 2 if self.kind is Kind.PAIR else 1
        return Item.make(
            source="t", licence="t", kind=self.kind, question_id=question.id, bucket="b",
            response_ids=tuple(one.id for one in shown[:count]), subtype=None, split=Split.TRAIN,
        )  # fmt: skip

    def label(
        self, by: dict[str, Verdict], *, kind: AnnotatorKind = AnnotatorKind.MODEL,
        only: Sequence[int] = range(COUNT),
    ) -> "Judged":  # fmt: skip
        """Each item is judged once in every named dialect, and the label rests on all of that."""
        judgments: list[Judgment] = []
        labels: list[Label] = []
        for n, item in enumerate(self.items):
            named = [name for place, name in enumerate(by) if place == 0 or n in only]
            found = [self._judgment(item, KNOWN[name], by[name]) for name in named]
            judgments += found
            labels.append(
                Label.make(
                    source="t", licence="t", item_id=item.id, verdict=next(iter(by.values())),
                    direction=KNOWN[named[0]].direction, confidence=None, policy="as given",
                    judgment_ids=tuple(one.id for one in found), annotator_kind=kind,
                    annotator="gpt",
                )
            )  # fmt: skip
        self.dir.write("labels/judgments.jsonl", judgments)
        self.dir.write("labels/labels.jsonl", labels)
        return self

    def _judgment(self, item: Item, dialect: Dialect, verdict: Verdict) -> Judgment:
        return Judgment.make(
            source="t", licence="t", item_id=item.id, judge="gpt", dialect=dialect.hash,
            order=tuple(range(len(item.response_ids))), sample=0, rationale="So it is.",
            reply=dialect.write_reply("So it is.", verdict), verdict=verdict, distribution=None,
            status=Status.PARSED, reference=None,
        )  # fmt: skip

    def rows(self, *dialects: str, **config: Any) -> tuple[list[SftRow], StageReport]:
        given = {"dialects": dialects, "labels": "model", **config}
        report = rows.run(rows.Config.model_validate(given), self.dir, pytest.fail)
        return self.dir.read("rows/sft.jsonl", SftRow), report


@pytest.fixture
def alone(tmp_path: Path) -> Judged:
    return Judged(tmp_path, Kind.SINGLE)


@pytest.fixture
def pairs(tmp_path: Path) -> Judged:
    return Judged(tmp_path, Kind.PAIR)


def marks(*values: float) -> Scores:
    return Scores(kind="scores", values=values, criteria=None)


@pytest.mark.parametrize("other", ["five", "faults"])
def test_a_score_is_not_taken_over_to_another_scale(alone: Judged, other: str) -> None:
    """A 3 of 1 to 10 lies on 1 to 5, too, and is another grade there."""
    alone.label({"ten": marks(3.0)})
    with pytest.raises(DataError, match=r"'ten' \(1 to 10, higher is better\): 6.*labels\.dialect"):
        alone.rows("five")
    found, _ = alone.rows("ten-short")
    assert [parse_reply(DIALECTS["ten"], row.completion).verdict for row in found] == [marks(3)] * 6
    found, report = alone.rows("ten", "five")
    assert {row.dialect for row in found} == {DIALECTS["ten"].hash}
    assert report.tables["rows by dialect"] == {"ten": 6, "five": 0}
    alone.label({"ten": marks(3.0), other: marks(4.0)}, only=range(3))
    found, report = alone.rows("ten-short")
    assert len(found) == 6
    assert report.tables[OTHER_SCALE] == 3


def test_what_is_labelled_is_said_where_nothing_can_be_learnt(pairs: Judged) -> None:
    pairs.label({"prometheus-relative": choice("A"), "prometheus-relative-reference": choice("B")})
    with pytest.raises(DataError) as told:
        pairs.rows("judgelm")
    assert "to learn dialect 'judgelm' from (1 to 10 by 0.5, higher is better)" in str(told.value)
    assert "'prometheus-relative' (A, B, naming the better one): 6" in str(told.value)
    assert "'prometheus-relative-reference' (A, B, naming the better one): 6" in str(told.value)


def test_letters_mean_the_same_in_any_dialect_of_their_direction(pairs: Judged) -> None:
    pairs.label({"prometheus-relative": choice("A")})
    found, _ = pairs.rows("prometheus-relative-compact")
    assert len(found) == 6
    pairs.label({"judgelm": marks(8.0, 3.0)})
    with pytest.raises(DataError, match=r"found judgments in other dialects: 'judgelm'"):
        pairs.rows("prometheus-relative")


@pytest.mark.parametrize("name", ["ten-reference", "ten-document", "ten-both"])
def test_nothing_is_added_to_what_a_judge_saw(alone: Judged, name: str) -> None:
    alone.label({"ten": marks(3.0)})
    with pytest.raises(DataError, match=r"nor a verdict given without a reference or document"):
        alone.rows(name)
    found, report = alone.rows("ten", name)
    assert report.tables["rows by dialect"] == {"ten": 6, name: 0}
    assert len(found) == 6
    alone.label({"ten": marks(3.0)}, kind=AnnotatorKind.KEY)
    found, _ = alone.rows(name, labels="key")
    assert len(found) == 6  # the key looks at neither


def test_a_reference_may_be_left_out_and_a_document_may_not(alone: Judged) -> None:
    alone.label({"ten-reference": marks(3.0)})
    assert len(alone.rows("ten")[0]) == 6
    alone.label({"ten-document": marks(3.0)})
    with pytest.raises(DataError, match=r"'ten-document' .*: 6"):
        alone.rows("ten")


def test_a_student_that_answers_first_needs_no_judge_that_saw_an_answer(alone: Judged) -> None:
    alone.label({"ten": marks(3.0)})
    found, _ = alone.rows("ten-own-answer")
    assert len([row for row in found if row.order]) == 6


@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
def test_dropping_adds_no_reference_that_nobody_saw(alone: Judged, rate: float) -> None:
    """Three of six items were judged with their reference; the others stay without it."""
    alone.label({"ten": marks(3.0), "ten-reference": marks(5.0)}, only=range(3))
    found, report = alone.rows("ten", "ten-reference", augment={"reference_drop": rate})
    assert len(found) == len({row.item_id for row in found}) == 6
    with_it = [row for row in found if row.dialect == DIALECTS["ten-reference"].hash]
    assert {row.item_id for row in with_it} <= {item.id for item in alone.items[:3]}
    assert len(with_it) == (3 if rate == 0 else 0 if rate == 1 else len(with_it))
    for row in found:
        wanted = 5.0 if row in with_it else 3.0
        assert parse_reply(DIALECTS["ten"], row.completion).verdict == marks(wanted)
    if rate in (0, 1):
        assert report.tables.get(UNSEEN, 0) == (3 if rate == 0 else 0)
        assert report.tables[OTHER_CONDITION] == 3


@pytest.mark.parametrize("other", ["five", "faults", "ten-document", "ten-both"])
def test_twins_differ_in_the_reference_alone(alone: Judged, other: str) -> None:
    alone.label({"ten-reference": marks(3.0)})
    named = ("ten", other) if other == "ten-both" else (other, "ten-reference")
    with pytest.raises(RecipeError, match="alike in kind, scale, direction, criteria and document"):
        alone.rows(*named, augment={"reference_drop": 0.5})


def test_the_last_check_knows_the_condition(alone: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted past `shown`: the judgment with the reference in a prompt without it.

    Its verdict was given of this very text, so texts and verdicts alone show nothing.
    """
    alone.label({"ten": marks(3.0), "ten-reference": marks(5.0)})

    def mixed_up(self: Any, item: Item, question: Question, found: list[Judgment]) -> Any:
        with_it = [one for one in found if one.dialect == DIALECTS["ten-reference"].hash]
        return [(DIALECTS["ten"], with_it)]

    monkeypatch.setattr(rows.stage.Conditions, "shown", mixed_up)
    with pytest.raises(DataError, match=r"the verdict to learn, .*5\.0.* was not given"):
        alone.rows("ten", "ten-reference")


def test_the_direction_of_letters_is_seen_to(pairs: Judged) -> None:
    worse = load_task("bias").dialects["bias-pair"]
    assert worse.direction is Direction.WORSE
    pairs.label({"prometheus-relative": choice("A")})
    header = pairs.dir.header.model_copy(update={"dialects": {**DIALECTS, "worse": worse}})
    pairs.dir = RunDir(pairs.dir.path, header)
    with pytest.raises(DataError, match="names the better response"):
        pairs.rows("worse")
