"""The judge that sees words only: it finds planted phrases, and nothing where there are none."""

import math
from random import Random

from judgesmith.records import Finish, Item, Kind, Question, Response
from judgesmith.stages.evaluate.words_alone import learn_words

NEUTRAL = ("the text says so", "reading it again", "from the passage", "as it stands", "in short")


def make(seed: int, count: int, *, telling: bool) -> tuple[list[Item], dict, dict]:
    """Pairs whose label is drawn at random; with `telling` the named response holds a phrase."""
    draw = Random(seed)
    items, labels, responses = [], {}, {}
    for number in range(count):
        label = draw.choice(("A", "B"))
        pair = []
        for side in "AB":
            text = draw.choice(NEUTRAL)
            if telling and side == label:
                text += " people like that"
            pair.append(
                Response.make(
                    source="t", licence="t", question_id=f"q{number}", model=side, sampling={},
                    text=text, finish=Finish.STOP, task={},
                )
            )  # fmt: skip
        item = Item.make(
            source="t", licence="t", kind=Kind.PAIR, question_id=f"q{number}",
            response_ids=tuple(r.id for r in pair), bucket="b", subtype=None, split=None,
        )  # fmt: skip
        items.append(item)
        labels[item.id] = label
        responses.update({r.id: r for r in pair})
    return items, labels, responses


def accuracy(seed: int, *, telling: bool) -> float:
    """Share right on 400 fresh pairs after learning from 400."""
    items, labels, responses = make(seed, 800, telling=telling)
    judge = learn_words(items[:400], labels, responses)
    question = Question.make(
        source="t", licence="t", group_id="g", template_id=None, category=None, context=None,
        text="?", choices=None, key=None, reference=None, grounding=None, task={},
    )  # fmt: skip
    fresh = items[400:]
    right = [
        judge(question, [responses[i] for i in item.response_ids]).value == labels[item.id]
        for item in fresh
    ]
    return sum(right) / len(right)


def test_a_telling_phrase_is_found() -> None:
    assert accuracy(1, telling=True) > 0.99


def test_nothing_is_found_where_words_say_nothing() -> None:
    """Ties are allowed, so chance is at most one half: 0.5 + 3 * sqrt(.25 / 400) = 0.575."""
    assert accuracy(2, telling=False) <= 0.575


def test_the_odds_are_the_smoothed_counts() -> None:
    """2 pairs: the phrase is in 2 of 2 named, 0 of 2 others: log(3/4) - log(1/4) = log 3."""
    items, labels, responses = make(3, 2, telling=True)
    judge = learn_words(items, labels, responses)
    assert math.isclose(judge.odds["people"], math.log(3))


def test_without_items_everything_is_a_tie() -> None:
    items, _, responses = make(4, 1, telling=True)
    judge = learn_words([], {}, responses)
    question = Question.make(
        source="t", licence="t", group_id="g", template_id=None, category=None, context=None,
        text="?", choices=None, key=None, reference=None, grounding=None, task={},
    )  # fmt: skip
    assert judge(question, [responses[i] for i in items[0].response_ids]).value == "TIE"


def test_the_order_of_the_items_does_not_matter() -> None:
    items, labels, responses = make(5, 300, telling=True)
    shuffled = Random(9).sample(items, len(items))
    assert learn_words(items, labels, responses) == learn_words(shuffled, labels, responses)
