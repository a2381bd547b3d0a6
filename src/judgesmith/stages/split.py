"""Items -> items on a side of the split, with the leak audit.

    in   questions/questions.jsonl, responses/responses.jsonl, items/items.jsonl
    out  split/items.jsonl
    run  judgesmith run RECIPE --until split

The unit is the question or the template, never the item. A template stays together with all its
questions, and a question with all its templates, so a unit is all that hangs together in this way.
Items that came with their side (an imported test set) keep it, and everything that shares a unit
with them, or with a held-out category, is left out of training.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import Field

from judgesmith.audits import (
    Finding,
    LeakItem,
    Severity,
    SplitLevel,
    leak_audit,
    leak_findings,
    stop_on_errors,
)
from judgesmith.errors import DataError
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Item, Question, Response, Split, index_by_id, keyed_rng
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates

VERSION = 2
OUTPUTS = ("split/items.jsonl",)
TEMPLATE, GROUP = 0, 1
"""What a unit is joined by, in the order in which it is named."""


class Config(Section):
    """How items are split.

    `level` is what stays on one side. `held_out` categories are never trained on. Shares are of
    units in each category; `max_*` cap the items of a side (evenly drawn over buckets). What a
    smaller cap keeps, a larger one keeps too.
    """

    level: SplitLevel = SplitLevel.TEMPLATE
    held_out: tuple[str, ...] = ()
    test_share: float = Field(0.2, ge=0, le=1)
    dev_share: float = Field(0.1, ge=0, le=1)
    max_train: int | None = Field(None, gt=0)
    max_test: int | None = Field(None, gt=0)
    max_held_out: int | None = Field(None, gt=0)
    max_dev: int | None = Field(None, gt=0)
    near_duplicate: float = 0.8

    def rehearsed(self, rates: Rates) -> Self:
        """Few items on each side."""
        few = {"max_train": 600, "max_test": 60, "max_held_out": 30, "max_dev": 30}
        return self.model_copy(
            update={name: min(getattr(self, name) or most, most) for name, most in few.items()}
        )


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl", "responses/responses.jsonl", "items/items.jsonl")


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def units_of(questions: Iterable[Question], level: SplitLevel) -> dict[str, str]:
    """What must stay together with each question, by the question's id.

    At level question that is its group. At level template it is all that hangs together by groups
    and templates: one instruction that is judged by two rubrics joins their templates. A unit has
    the name of its template, of several the first by name, and of its group where it has none.
    """
    listed = list(questions)
    if level is SplitLevel.QUESTION:
        return {question.id: question.group_id for question in listed}
    joined = _Joined()
    for question in listed:
        group = (GROUP, question.group_id)
        joined.join(
            group, group if question.template_id is None else (TEMPLATE, question.template_id)
        )
    return {q.id: joined.first((GROUP, q.group_id))[1] for q in listed}


class _Joined:
    """What hangs together; each part is known by its first member, templates before groups."""

    def __init__(self) -> None:
        self._above: dict[tuple[int, str], tuple[int, str]] = {}

    def first(self, member: tuple[int, str]) -> tuple[int, str]:
        """The first member of the part that holds this one."""
        path = []
        while (above := self._above.setdefault(member, member)) != member:
            path.append(member)
            member = above
        for passed in path:
            self._above[passed] = member
        return member

    def join(self, one: tuple[int, str], other: tuple[int, str]) -> None:
        """Make one part of the parts that hold the two."""
        low, high = sorted((self.first(one), self.first(other)))
        self._above[high] = low


def assign(
    items: Sequence[Item], questions: Mapping[str, Question], config: Config, seed: int
) -> tuple[list[Item], Counter[str]]:
    """Items with their side, and how many were left out for which reason."""
    dropped: Counter[str] = Counter()
    asked = {item.question_id: questions[item.question_id] for item in items}
    unit = units_of(asked.values(), config.level)
    given = [item for item in items if item.split is not None]
    test_units = {unit[item.question_id] for item in given}
    held = {q.id for q in asked.values() if q.category in config.held_out}
    held_units = set() if given else {unit[name] for name in held}
    open_items: list[Item] = []
    placed: list[Item] = [_on_test(item, questions, config.held_out) for item in given]
    for item in (item for item in items if item.split is None):
        if item.question_id in held:
            if given:
                dropped["held-out category, not in the imported test set"] += 1
            else:
                placed.append(item.with_fields(split=Split.HELD_OUT))
        elif unit[item.question_id] in test_units:
            dropped[f"shares its {config.level} with the imported test set"] += 1
        elif unit[item.question_id] in held_units:
            dropped[f"shares its {config.level} with a held-out category"] += 1
        else:
            open_items.append(item)
    test_share = 0.0 if given else config.test_share
    apart = test_share + config.dev_share > 0 and test_share < 1
    if apart and config.level is SplitLevel.TEMPLATE:
        _require_several(open_items, questions, unit)
    sides = _sides(_by_category(open_items, questions, unit), config, test_share, seed)
    placed += [item.with_fields(split=sides[unit[item.question_id]]) for item in open_items]
    return _capped(placed, config, dropped, seed), dropped


def _require_several(
    items: Sequence[Item], questions: Mapping[str, Question], unit: Mapping[str, str]
) -> None:
    """Refuse templates that hang together as one unit: all of it would be on one side."""
    templates = {questions[item.question_id].template_id for item in items}
    if len(templates) > 1 and len({unit[item.question_id] for item in items}) == 1:
        raise DataError(
            f"split.level: expected templates that can be parted, found that all {len(items)} "
            f"items hang together: their {len(templates)} templates share questions, such as one "
            "instruction that is judged by several rubrics. Split by question (split.level: "
            "question), or bring questions that stand apart."
        )


def lopsided(
    items: Sequence[Item], questions: Mapping[str, Question], config: Config
) -> tuple[Finding, ...]:
    """A warning where one unit holds more than half of the items that are split, before caps.

    Shares are of units, so what such a unit brings to its side is no longer what they say.
    """
    asked = {item.question_id: questions[item.question_id] for item in items}
    unit = units_of(asked.values(), config.level)
    placed = {
        unit[item.question_id]
        for item in items
        if item.split is not None or asked[item.question_id].category in config.held_out
    }
    sizes = Counter(u for item in items if (u := unit[item.question_id]) not in placed)
    if len(sizes) < 2 or 2 * (most := max(sizes.values())) <= sizes.total():
        return ()
    largest = min(name for name, size in sizes.items() if size == most)
    finding = Finding(
        audit="split",
        severity=Severity.WARNING,
        message=(
            f"{most} of {sizes.total()} items are of one {config.level} or hang together with it: "
            f"{largest!r}, the largest of {len(sizes)} units"
        ),
        count=most,
        of=sizes.total(),
        examples=(largest,),
        effect=(
            "shares are of units: the side that got this one is far larger than its share, and "
            "either training or measuring rests on it"
        ),
        remedy=(
            "look at `items by side`; bring questions that stand apart"
            + (", or split by question" if config.level is SplitLevel.TEMPLATE else "")
        ),
    )
    return (finding,)


def _on_test(item: Item, questions: Mapping[str, Question], held_out: Sequence[str]) -> Item:
    outside_domain = questions[item.question_id].category in held_out
    side = Split.HELD_OUT if item.split is Split.TEST and outside_domain else item.split
    return item.with_fields(split=side)


def _by_category(
    items: Iterable[Item], questions: Mapping[str, Question], unit: Mapping[str, str]
) -> dict[str, list[str]]:
    """Units by category, each once: one of several categories counts in the first by name."""
    category: dict[str, str] = {}
    for item in items:
        name = questions[item.question_id].category or ""
        known = category.setdefault(unit[item.question_id], name)
        category[unit[item.question_id]] = min(known, name)
    found: dict[str, list[str]] = defaultdict(list)
    for one, name in category.items():
        found[name].append(one)
    return found


def _sides(
    units: Mapping[str, Sequence[str]], config: Config, test_share: float, seed: int
) -> dict[str, Split]:
    """Side of each unit: in every category the stated shares of units, at least one for test."""
    sides: dict[str, Split] = {}
    for members in units.values():
        order = sorted(members, key=lambda unit: keyed_rng(seed, "split", unit).random())
        n_test = max(1, round(test_share * len(order))) if test_share else 0
        n_dev = max(1, round(config.dev_share * len(order))) if config.dev_share else 0
        for position, unit in enumerate(order):
            past_test = position >= n_test
            sides[unit] = (
                Split.TEST if not past_test
                else Split.DEV if position < n_test + n_dev
                else Split.TRAIN
            )  # fmt: skip
    return sides


def _capped(items: Sequence[Item], config: Config, dropped: Counter[str], seed: int) -> list[Item]:
    caps = {
        Split.TRAIN: config.max_train,
        Split.TEST: config.max_test,
        Split.HELD_OUT: config.max_held_out,
        Split.DEV: config.max_dev,
    }
    kept: set[str] = set()
    for side in Split:
        members = [item for item in items if item.split is side]
        cap = caps.get(side)
        chosen = members if cap is None else evenly(members, cap, seed)
        dropped[f"over max_{side.value}"] += len(members) - len(chosen)
        kept |= {item.id for item in chosen}
    return [item for item in items if item.id in kept]


def evenly(items: Sequence[Item], cap: int, seed: int) -> list[Item]:
    """At most `cap` items, each bucket in proportion to what it has."""
    if len(items) <= cap:
        return list(items)
    buckets: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        buckets[item.bucket].append(item)
    ranked: list[tuple[float, str, Item]] = []
    for name, members in buckets.items():
        members.sort(key=lambda item: keyed_rng(seed, "cap", item.id).random())
        ranked += [((i + 0.5) / len(members), name, item) for i, item in enumerate(members)]
    ranked.sort(key=lambda entry: entry[:2])
    return [item for *_, item in ranked[:cap]]


def leak_items(
    items: Iterable[Item], questions: Mapping[str, Question], responses: Mapping[str, Response]
) -> list[LeakItem]:
    """Items as the leak audit sees them."""
    return [
        LeakItem(
            item_id=item.id,
            group_id=questions[item.question_id].group_id,
            template_id=questions[item.question_id].template_id,
            texts=tuple(responses[i].text for i in item.response_ids),
        )
        for item in items
    ]


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Assign sides, then audit; a leak at the recipe's level stops the run."""
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    items = run_dir.read("items/items.jsonl", Item)
    _check_held_out(config, questions)
    placed, dropped = assign(items, questions, config, run_dir.seed)
    by_side = {side: [item for item in placed if item.split is side] for side in Split}
    learning = leak_items(by_side[Split.TRAIN] + by_side[Split.DEV], questions, responses)
    measured = leak_items(by_side[Split.TEST] + by_side[Split.HELD_OUT], questions, responses)
    report = leak_audit(learning, measured, near_duplicate_threshold=config.near_duplicate)
    findings = (*leak_findings(report, config.level), *lopsided(items, questions, config))
    stop_on_errors(findings)
    run_dir.write(OUTPUTS[0], placed)
    counts = {side.value: Counter(i.bucket for i in found) for side, found in by_side.items()}
    return StageReport(
        taken=len(items),
        made=len(placed),
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "items by side": {side.value: len(found) for side, found in by_side.items()},
            "items by side and bucket": {s: dict(sorted(c.items())) for s, c in counts.items()},
            "leaks": report.to_dict(),
            "findings": [finding.to_dict() for finding in findings],
        },
    )


def _check_held_out(config: Config, questions: Mapping[str, Question]) -> None:
    known = {question.category for question in questions.values() if question.category}
    unknown = set(config.held_out) - known
    if unknown:
        raise DataError(
            f"split.held_out: {sorted(unknown)} are not categories of this run's questions; "
            f"categories: {', '.join(sorted(known))}."
        )
