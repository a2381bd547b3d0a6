"""The dev items on which a student is measured while it learns."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from judgesmith.judging.dialect import Dialect
from judgesmith.models.dev import Asking, DevSet, DevSets
from judgesmith.models.pointwise import known_margins, read_margin
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Finish,
    Item,
    Kind,
    Label,
    Question,
    Response,
    Scores,
    Split,
    choice,
)
from judgesmith.tasks import load_dialect, load_task

DIALECT = load_dialect(load_task("bias"), "bias-pair-compact")


def question(n: int) -> Question:
    return Question.make(
        source="t", licence="n", group_id=f"g{n}", template_id=None, category=None, context="C.",
        text=f"Who, {n}?", choices=("Ann", "Bob", "Unknown"), key=2, reference=None,
        grounding=None, task={},
    )  # fmt: skip


def response(asked: Question, model: str) -> Response:
    return Response.make(
        source="t", licence="n", question_id=asked.id, model=model, sampling={}, text=model,
        finish=Finish.STOP, task={},
    )  # fmt: skip


QUESTIONS = [question(n) for n in range(8)]
RESPONSES = [response(asked, model) for asked in QUESTIONS for model in ("m1", "m2")]
ITEMS = [
    Item.make(
        source="t", licence="n", kind=Kind.PAIR, question_id=asked.id,
        response_ids=tuple(r.id for r in RESPONSES if r.question_id == asked.id), bucket="b",
        subtype=None, split=Split.DEV if n < 6 else Split.TEST,
    )
    for n, asked in enumerate(QUESTIONS)
]  # fmt: skip
LETTERS = "ABABABAB"


def label(item: Item, letter: str, kind: AnnotatorKind = AnnotatorKind.KEY) -> Label:
    return Label.make(
        source="t", licence="n", item_id=item.id, verdict=choice(letter),
        direction=Direction.WORSE, confidence=None, policy="p", judgment_ids=(),
        annotator_kind=kind, annotator="a",
    )  # fmt: skip


LABELS = [label(item, letter) for item, letter in zip(ITEMS, LETTERS, strict=True)]


def dev_set(labels: Sequence[Label] = LABELS, limit: int = 60, seed: int = 1) -> DevSet:
    return DevSet(
        ITEMS, labels, questions=QUESTIONS, responses=RESPONSES,
        asking=Asking(DIALECT, max_tokens=9, limit=limit, seed=seed),
    )  # fmt: skip


class Replying:
    """Gives each item the reply that stands for it."""

    name = "replying"

    def __init__(self, replies: dict[str, str]) -> None:
        self.replies, self.asked = replies, list[Request]()

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        self.asked += requests
        for request in requests:
            yield Completion(
                text=self.replies[request.record_id], finish=Finish.STOP, prompt_tokens=1,
                completion_tokens=1,
            )  # fmt: skip


def replies(**changed: Any) -> dict[str, str]:
    """The label of each item as a reply, but for the items of these numbers (as i0, i1)."""
    given = {
        item.id: DIALECT.write_reply("So.", letter)
        for item, letter in zip(ITEMS, LETTERS, strict=True)
    }
    return given | {ITEMS[int(key[1:])].id: text for key, text in changed.items()}


def test_labels_by_people_count_where_nobody_else_labelled() -> None:
    """They are on the dev side, which is never measured on; a student may have learnt from them."""
    people = [label(i, s, AnnotatorKind.PERSON) for i, s in zip(ITEMS, LETTERS, strict=True)]
    assert dev_set(people).items == dev_set().items
    assert dev_set(people).kappa(Replying(replies())) == 1.0
    assert dev_set(people).kappa(Replying(replies(i0="no verdict"))) == round(5 / 7, 6)


def test_only_dev_items_with_a_label_that_no_person_gave() -> None:
    assert {item.id for item in dev_set().items} == {item.id for item in ITEMS[:6]}
    by_people = [label(ITEMS[0], "A", AnnotatorKind.PERSON), *LABELS[1:3]]
    assert {item.id for item in dev_set(by_people).items} == {item.id for item in ITEMS[1:3]}


def test_items_are_drawn_by_seed_and_id() -> None:
    assert dev_set(limit=3).items == dev_set(LABELS[::-1], limit=3).items
    drawn = {tuple(item.id for item in dev_set(limit=3, seed=seed).items) for seed in range(9)}
    assert len(drawn) > 1


def test_kappa_is_one_when_every_verdict_is_right() -> None:
    model = Replying(replies())
    assert dev_set().kappa(model) == 1.0
    assert {request.sampling.max_tokens for request in model.asked} == {9}
    assert len(model.asked) == 6


def test_an_unparsed_reply_counts_as_wrong() -> None:
    """Labels A B A B A B; one A is unparsed: agreement 5/6, by chance 1/2 * 2/6 + 1/2 * 3/6.

    Kappa = (5/6 - 5/12) / (1 - 5/12) = 5/7.
    """
    assert dev_set().kappa(Replying(replies(i0="no verdict"))) == round(5 / 7, 6)


def test_kappa_of_nothing_is_none() -> None:
    assert dev_set([]).kappa(Replying({})) is None
    assert dev_set(limit=0).kappa(Replying({})) is None
    alike = [label(item, "A") for item in ITEMS]
    right = DIALECT.write_reply("So.", "A")
    assert dev_set(alike).kappa(Replying({item.id: right for item in ITEMS})) is None


ALONE = load_dialect(load_task("bias"), "bias-single-compact")


def chance_of(verdict: str) -> float:
    return {"A": 0.9, "B": 0.2}[verdict]


class Scoring:
    """Scores the first response .9 (label A) or .2 (label B), the second always .5."""

    name = "scoring"

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        of = {item.response_ids[0]: letter for item, letter in zip(ITEMS, LETTERS, strict=True)}
        for request in requests:
            chance = chance_of(of[request.record_id]) if request.record_id in of else 0.5
            yield Completion(
                text=ALONE.write_reply("So.", str(round(chance))), finish=Finish.STOP,
                prompt_tokens=1, completion_tokens=1,
                probabilities={"0": 1 - chance, "1": chance},
            )  # fmt: skip


def alone(labels: Sequence[Label]) -> DevSet:
    return DevSet(
        ITEMS, labels, questions=QUESTIONS, responses=RESPONSES,
        asking=Asking(ALONE, max_tokens=9, limit=60, seed=1),
    )  # fmt: skip


def test_a_judge_of_single_responses_is_measured_with_its_best_margin(tmp_path: Path) -> None:
    """Differences are .4 (where A is right) and .3 (where B is). Labelled A and tie instead, a
    margin between them, .35, makes every verdict right: kappa 1; that margin is kept."""
    assert alone(LABELS).kappa(Scoring()) == 1.0
    assert alone(LABELS).keep_margin(Scoring, tmp_path) == 0.0
    tied = [label(item, "A" if right == "A" else "TIE") for item, right in zip(ITEMS, LETTERS,
            strict=True)]  # fmt: skip
    assert alone(tied).kappa(Scoring()) == 1.0
    assert alone(tied).keep_margin(Scoring, tmp_path) == 0.35
    assert read_margin(tmp_path, ALONE.hash) == 0.35


def test_each_of_several_dialects_keeps_its_margin(tmp_path: Path) -> None:
    """The judge of pairs stands first; the margin of the other was once lost behind it."""
    sets = DevSets((dev_set(), alone(LABELS)))
    opened: list[Scoring] = []

    def once() -> Scoring:
        opened.append(Scoring())
        return opened[-1]

    assert sets.keep_margins(once, tmp_path) == {ALONE.name: 0.0}
    assert len(opened) == 1
    assert known_margins(tmp_path) == {ALONE.hash: 0.0}


def test_a_judge_of_pairs_keeps_no_margin(tmp_path: Path) -> None:
    model = Replying(replies())
    assert dev_set().keep_margin(lambda: model, tmp_path) is None
    assert (model.asked, list(tmp_path.iterdir())) == ([], [])


GRADED = Dialect(
    name="graded", kind="single", user="{{ responses[0].text }}", scale={"low": 1, "high": 5},
    direction="better",
)  # fmt: skip


class Grading:
    """Gives each response the score that stands for its model; "none" is no reply."""

    name = "grading"

    def __init__(self, said: dict[str, str]) -> None:
        self.said = said

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            score = self.said[request.messages[-1].content]
            yield Completion(
                text="" if score == "none" else GRADED.write_reply("So.", score),
                finish=Finish.STOP, prompt_tokens=1, completion_tokens=1,
            )  # fmt: skip


def graded(*scores: tuple[float, float]) -> DevSet:
    """Dev items 0 to 5, each of two responses by m1 and m2 that are scored alone."""
    found = [
        label(item, "A").model_copy(
            update={
                "verdict": Scores(kind="scores", values=pair, criteria=None),
                "policy": "p, scored alone", "direction": None,
            }
        )
        for item, pair in zip(ITEMS, scores, strict=False)
    ]  # fmt: skip
    return DevSet(
        ITEMS, [*LABELS, *found], questions=QUESTIONS, responses=RESPONSES,
        asking=Asking(GRADED, max_tokens=9, limit=60, seed=1),
    )  # fmt: skip


def test_scores_are_measured_by_weighted_kappa(tmp_path: Path) -> None:
    """Labels 1 and 5 in turn for m1, 3 for m2; the student says 2 and 3."""
    dev = graded(*[(1.0, 3.0), (5.0, 3.0)] * 3)
    assert len(dev.items) == 6
    said = [2] * 6 + [3] * 6
    wanted = cohen_kappa_score(
        said, [1, 5] * 3 + [3] * 6, weights="quadratic", labels=[1, 2, 3, 4, 5]
    )
    found = dev.kappa(Grading({"m1": "2", "m2": "3"}))
    assert found == pytest.approx(wanted, abs=1e-6)
    assert dev.keep_margin(lambda: Grading({}), tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_an_unread_score_counts_as_the_farther_end_of_the_scale() -> None:
    """Of label 1 that is 5, of 5 it is 1, of 3 the lower end; one unread response leaves the pair
    of both without a score."""
    dev = graded(*[(1.0, 3.0), (5.0, 3.0)] * 3)
    wanted = cohen_kappa_score(
        [5, 1] * 3 + [1] * 6, [1, 5] * 3 + [3] * 6, weights="quadratic", labels=[1, 2, 3, 4, 5]
    )
    found = dev.kappa(Grading({"m1": "none", "m2": "3"}))
    assert found == pytest.approx(wanted, abs=1e-6)


def test_scores_of_both_responses_in_one_reply_are_a_letter() -> None:
    """Labels 8 and 6, 6 and 8 in turn are A and B."""
    given = [
        label(item, "A").model_copy(
            update={
                "verdict": Scores(kind="scores", values=pair, criteria=None), "policy": "two scores"
            }
        )
        for item, pair in zip(ITEMS, [(8.0, 6.0), (6.0, 8.0)] * 3, strict=False)
    ]  # fmt: skip
    dev = dev_set(given)
    assert sorted(dev.labels) == ["A"] * 3 + ["B"] * 3
    assert dev.kappa(Replying(replies())) == 1.0
