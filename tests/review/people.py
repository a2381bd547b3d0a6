"""A review in a folder, and people who answer in it as they are told."""

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from judgesmith.records import Choice, Kind, Status, choice, reorder
from judgesmith.review.items import about_dialect
from judgesmith.review.review import Review
from judgesmith.review.types import Answer, Gold, Plan, ReviewItem, Round, Said, Shown
from judgesmith.tasks import load_task

PAIR = load_task("bias").dialects["bias-pair"]
ONE = Plan()
ALL = ("label", "adjudicate", "owner")


def pairs(count: int, *, teachers: Sequence[str] = (), gold: bool = False) -> list[ReviewItem]:
    """Pairs whose gold verdict, in item order, goes A, B, TIE; withheld words are easy to find."""
    return [
        ReviewItem(
            id=f"i{at:05}", name=f"name {at}", kind=Kind.PAIR, cluster=f"q{at // 2}",
            question=f"Question {at}?", responses=(f"first {at}", f"second {at}"),
            bucket=f"secret bucket {at % 3}", generators=("secret generator", "another"),
            stratum=f"s{at % 3}", gold=Gold(verdict(at), "secret reason") if gold else None,
            said=tuple(
                Said(f"secret teacher {place}", "teacher", Status.PARSED, choice(one))
                for place, one in enumerate(teachers)
            ),
        )
        for at in range(count)
    ]  # fmt: skip


def verdict(at: int) -> Choice:
    return choice(("A", "B", "TIE")[at % 3])


def a_review(folder: Path, items: Sequence[ReviewItem], plan: Plan = ONE) -> Review:
    return Review.make(folder, about_dialect("pairs", "pairs.jsonl", PAIR), items, plan)


def answer(
    shown: Shown, in_item_order: Choice | None, *, round: Round | None = None, note: str = "",
    replaces: str | None = None, outcome: str = "verdict", uid: str | None = None,
) -> Answer:  # fmt: skip
    """An answer that says, of the responses as they are shown, what is meant in item order."""
    order = tuple(0 if text.startswith("first") else 1 for text in shown.responses)
    back = tuple(order.index(position) for position in range(len(order)))
    said = None if in_item_order is None else reorder(in_item_order, back)
    return Answer(
        uid or str(uuid.uuid4()), shown.item_id, outcome, said, 0.75, note, 4.0, replaces,  # type: ignore[arg-type]
        round or shown.round,
    )  # fmt: skip


def work(review: Review, name: str, says: Callable[[str], Choice], most: int = 10**6) -> int:
    """Answer what comes, until nothing does; `says` gives the verdict of an item by its id."""
    done = 0
    while done < most and (found := review.next(name)):
        review.save(name, answer(found[0], says(found[0].item_id)))
        done += 1
    return done


def right(item_id: str) -> Choice:
    return verdict(int(item_id[1:]))
