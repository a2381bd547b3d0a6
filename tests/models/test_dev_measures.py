"""What a student is worth on dev: by hand on six pairs and on single scores."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sklearn.metrics import cohen_kappa_score

from judgesmith.judging.dialect import Dialect
from judgesmith.models.dev import Asking, DevSet, DevSets
from judgesmith.models.dev_measures import measure
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

PAIR = Dialect(
    name="pair", kind="pair", user="{{ responses[0].text }} or {{ responses[1].text }}",
    scale=["A", "B", "TIE"], direction="better",
)  # fmt: skip
SINGLE = Dialect(
    name="single", kind="single", user="{{ responses[0].text }}", scale={"low": 1, "high": 5},
    direction="better",
)  # fmt: skip


class Says:
    """Replies by a rule over the numbers in the prompt; None is a reply without a verdict."""

    name = "student"

    def __init__(self, rule: Any) -> None:
        self.rule = rule

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            said = self.rule(*map(int, re.findall(r"\d+", request.messages[-1].content)))
            text = (
                "I cannot say."
                if said is None
                else (f"<reasoning>So.</reasoning><verdict>{said}</verdict>")
            )
            yield Completion(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)


def question(n: int) -> Question:
    return Question.make(
        source="t", licence="n", group_id=f"g{n}", template_id=None, category=None, context=None,
        text=f"q{n}", choices=None, key=None, reference=None, grounding=None, task={},
    )  # fmt: skip


def dev_set(dialect: Dialect, worth: Sequence[tuple[int, ...]]) -> DevSet:
    """An item for each row of worths, labelled by them."""
    questions = [question(n) for n in range(len(worth))]
    rows = []
    for asked, values in zip(questions, worth, strict=True):
        shown = [
            Response.make(
                source="t", licence="n", question_id=asked.id, model=f"m{i}", sampling={},
                text=f"worth {value}", finish=Finish.STOP, task={},
            )
            for i, value in enumerate(values)
        ]  # fmt: skip
        item = Item.make(
            source="t", licence="n", kind=Kind.PAIR if len(values) == 2 else Kind.SINGLE,
            question_id=asked.id, response_ids=tuple(r.id for r in shown), bucket="b",
            subtype=None, split=Split.DEV,
        )  # fmt: skip
        verdict: Any = Scores(kind="scores", values=tuple(map(float, values)), criteria=None)
        if len(values) == 2:
            first, second = values
            verdict = choice("TIE" if first == second else "A" if first > second else "B")
        label = Label.make(
            source="t", licence="n", item_id=item.id, verdict=verdict, confidence=None,
            direction=Direction.BETTER, policy="p", judgment_ids=(), annotator="key",
            annotator_kind=AnnotatorKind.KEY,
        )  # fmt: skip
        rows.append((item, label, shown))
    return DevSet(
        [item for item, _, _ in rows], [label for _, label, _ in rows], questions=questions,
        responses=[one for _, _, shown in rows for one in shown],
        asking=Asking(dialect, 20, 100, 1),
    )  # fmt: skip


PAIRS = [(1, 2), (3, 1), (4, 4), (2, 5), (5, 1), (1, 3)]


def better(first: int, second: int) -> str:
    return "TIE" if first == second else "A" if first > second else "B"


def test_a_right_judge_of_pairs() -> None:
    found = measure(Says(better), dev_set(PAIR, PAIRS))
    assert found is not None
    assert found._asdict() == {
        "agreement": 1.0, "right": 1.0, "pearson": None, "parsed": 1.0, "consistency": 1.0,
        "items": 6,
    }  # fmt: skip


def test_one_that_names_the_first_is_never_consistent() -> None:
    """A in both orders names two responses: no pair has one verdict."""
    dev = dev_set(PAIR, PAIRS)
    found = measure(Says(lambda first, second: "A"), dev)
    assert found is not None
    assert found.consistency == 0.0
    assert found.right == round(2 / 6, 6)
    assert found.agreement == pytest.approx(cohen_kappa_score(["A"] * 6, dev.labels))


def test_an_unread_reply_is_wrong_and_counted() -> None:
    """Pairs with a 5 are not read in either order: two of six, both B or A by label."""
    found = measure(Says(lambda *w: None if 5 in w else better(*w)), dev_set(PAIR, PAIRS))
    assert found is not None
    assert (found.right, found.parsed) == (round(4 / 6, 6), round(4 / 6, 6))
    assert found.consistency == 1.0


def test_scores_have_a_correlation_and_no_consistency() -> None:
    """One too high everywhere but at the top: 1, 2, 3, 4 become 2, 3, 4, 5 and 5 stays."""
    found = measure(
        Says(lambda value: min(5, value + 1)), dev_set(SINGLE, [(1,), (2,), (3,), (4,), (5,)])
    )
    assert found is not None
    assert found.right == 0.2
    assert found.consistency is None
    # x = 2, 3, 4, 5, 5 and y = 1..5: Sxy = 8, Sxx = 6.8, Syy = 10
    assert found.pearson == pytest.approx(8 / (6.8 * 10) ** 0.5, abs=1e-6)
    weights = cohen_kappa_score([1, 2, 3, 4, 5], [2, 3, 4, 5, 5], weights="quadratic")
    assert found.agreement == pytest.approx(weights, abs=1e-6)


def test_without_items_there_is_nothing_to_measure() -> None:
    assert measure(Says(better), dev_set(PAIR, [])) is None


def test_several_dialects_have_the_mean_kappa_or_none() -> None:
    pairs, singles = dev_set(PAIR, PAIRS), dev_set(SINGLE, [(1,), (3,), (5,)])
    both = DevSets((pairs, singles))
    right = Says(lambda *w: better(*w) if len(w) == 2 else w[0])
    assert both.kappa(right) == 1.0
    assert [d.name for d in both.dialects] == ["pair", "single"]
    upside = Says(lambda *w: better(*w) if len(w) == 2 else 6 - w[0])
    assert both.kappa(upside) == pytest.approx((1.0 + singles.kappa(upside)) / 2)  # type: ignore[operator]
    assert DevSets((pairs, dev_set(SINGLE, []))).kappa(right) is None
