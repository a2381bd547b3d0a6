"""One item through all stages, out of its records; and what of it may be seen.

Everything is in item order: response A is the first of the item, in whatever order it was shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from judgesmith.records import LETTERS, Judgment, reorder
from judgesmith.review.looking.readings import verdict_text
from judgesmith.review.looking.shelf import (
    DRAWN,
    ITEMS,
    OF_ITEMS,
    QUESTIONS,
    RESPONSES,
    Shelf,
)
from judgesmith.tasks import known_dialects, task_of

WITHHELD = "withheld until your own answer"

Record = dict[str, Any]


@dataclass(frozen=True)
class Said:
    """One judgment: the verdict in item order, and as it was shown."""

    judge: str
    stage: str
    dialect: str
    order: str
    verdict: str | None
    shown: str | None
    status: str
    chances: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    rationale: str | None
    reply: str | None
    own_answer: str | None


@dataclass(frozen=True)
class Story:
    """What a run knows of an item. `open` false: everything but question and responses is hidden.

    `facts` are the item's place in the run; `responses` are texts with what is known of each;
    `rows` are training rows as (stage, order, [(name, text)]).
    """

    id: str
    question: Record
    facts: tuple[tuple[str, str], ...]
    responses: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    judgments: tuple[Said, ...]
    labels: tuple[tuple[str, str, str, str], ...]
    rows: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]
    open: bool = True


def visible(story: Story, allowed: bool) -> Story:
    """The story as somebody may see it: the one place where an item is withheld."""
    if allowed:
        return story
    kept = ("context", "text", "choices", "reference", "grounding", "category")
    question = {name: story.question.get(name) for name in kept}
    texts = tuple((name, text, ()) for name, text, _ in story.responses)
    return replace(
        story, question=question, facts=(), responses=texts, judgments=(), labels=(), rows=(),
        open=False,
    )  # fmt: skip


def tell(shelf: Shelf, id_: str) -> Story | None:
    """The story of an item; None where the run has none of that id."""
    drawn = shelf.record(DRAWN, id_)
    item = shelf.record(ITEMS, id_) or drawn
    if item is None:
        return None
    question = shelf.record(QUESTIONS, item["question_id"]) or {}
    parts = shelf.of_item(id_)
    dialects = {hashed: one.name for hashed, one in known_dialects(task_of(shelf.header)).items()}
    return Story(
        id=id_,
        question=question,
        facts=_facts(item, question),
        responses=tuple(
            _response(place, shelf.record(RESPONSES, one) or {})
            for place, one in enumerate(item["response_ids"])
        ),
        judgments=tuple(
            _said(Judgment.model_validate_json(orjson.dumps(row), strict=True), name, dialects)
            for name in OF_ITEMS[:2]
            for row in parts[name]
        ),
        labels=tuple(
            (
                verdict_text(row["verdict"]) or "",
                f"{row['annotator']} ({row['annotator_kind']})",
                row["policy"],
                "" if row["confidence"] is None else f"{row['confidence']:.3f}",
            )
            for row in parts["labels/labels.jsonl"]
        ),
        rows=tuple(_row(name, row) for name in OF_ITEMS[3:] for row in parts[name]),
    )


def _facts(item: Record, question: Record) -> tuple[tuple[str, str], ...]:
    left_out = "none: it was drawn, and left out at the split"
    task = question.get("task") or {}
    found = {
        "kind": item["kind"], "split": item["split"] or left_out, "bucket": item["bucket"],
        "subtype": item["subtype"], "template": question.get("template_id"),
        "group": question.get("group_id"), "key": _key(question), "source": item["source"],
        "licence": item["licence"], **{name: _text(value) for name, value in task.items()},
    }  # fmt: skip
    return tuple((name, str(value)) for name, value in found.items() if value not in (None, ""))


def _key(question: Record) -> str | None:
    key, choices = question.get("key"), question.get("choices")
    return f"{LETTERS[key]}: {choices[key]}" if key is not None and choices else None


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _response(place: int, row: Record) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    facts = {
        "generator": row.get("model"),
        "finish": row.get("finish"),
        "source": row.get("source"),
    }
    facts |= {**(row.get("sampling") or {}), **(row.get("task") or {})}
    told = tuple((name, _text(value)) for name, value in facts.items() if value not in (None, []))
    return f"Response {LETTERS[place % 26]}", str(row.get("text", "")), told


def _order(order: list[int] | tuple[int, ...]) -> str:
    """How responses were shown, by their letters; a lone one alone."""
    letters = " then ".join(LETTERS[p % 26] for p in order)
    return f"{letters} alone" if len(order) == 1 else letters or "no response shown"


def _said(one: Judgment, file: str, dialects: Mapping[str, str]) -> Said:
    shown = one.model_dump(mode="json")["verdict"]
    turned = None if one.verdict is None else reorder(one.verdict, one.order)
    chances = dict(one.distribution or {})
    if "verdict" in chances:
        chances["verdict"] = one.distribution_in_item_order() or {}
    return Said(
        judge=one.judge,
        stage=file.partition("/")[0],
        dialect=dialects.get(one.dialect, one.dialect),
        order=_order(one.order),
        verdict=None if turned is None else verdict_text(turned.model_dump(mode="json")),
        shown=verdict_text(shown),
        status=one.status.value,
        chances=tuple((_slot(slot, one), _in_order(p)) for slot, p in chances.items()),
        rationale=one.rationale,
        reply=one.reply,
        own_answer=one.reference,
    )


def _in_order(chances: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Probabilities by their values, letters before the tie, scores by size."""
    number = str.isdecimal
    return tuple(sorted(chances.items(), key=lambda one: (number(one[0]) and int(one[0]), one[0])))


def _slot(slot: str, one: Judgment) -> str:
    """What a distribution is about, by the response's letter in item order."""
    place, _, criterion = slot.partition("/")
    if not place.isdecimal():
        return "verdict"
    name = f"score of {LETTERS[one.order[int(place) - 1] % 26]}"
    return f"{name}, {criterion}" if criterion else name


def _row(name: str, row: Record) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    prompt = tuple((f"prompt ({turn['role']})", turn["content"]) for turn in row["prompt"])
    ends = [(end, row[end]) for end in ("completion", "chosen", "rejected") if end in row]
    how = f", {row['how_made']}" if "how_made" in row else ""
    title = ("preference row" if "chosen" in row else "training row") + f" ({row['split']})"
    return title, _order(row["order"]) + how, (*prompt, *ends)
