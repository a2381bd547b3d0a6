"""Does the evaluation side share anything with the training side?

Looked at from coarse to fine: the template, the question, a response text, every response text of
an item, and a text that is nearly the same. A text under the same question is a leak. The same
text under another question ("The answer is B") need not be one and is only counted, with texts of
fewer than five words apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from judgesmith.audits.leak_report import (
    MAX_EXAMPLE_PAIRS,
    LeakItem,
    LeakLevel,
    LeakReport,
    LevelShare,
    SplitLevel,
)
from judgesmith.audits.near_duplicate import Candidates, NearDuplicateIndex
from judgesmith.errors import DataError

SHORT_WORDS = 5
"""A response of fewer words than this is shared by chance and is counted apart."""


def normalise(text: str) -> str:
    r"""Fold case and make every run of white space one space.

    >>> normalise("  The Answer\n\nis B ")
    'the answer is b'
    """
    return " ".join(text.casefold().split())


def leak_audit(
    train: Sequence[LeakItem],
    evaluation: Sequence[LeakItem],
    *,
    near_duplicate_threshold: float = 0.8,
) -> LeakReport:
    """Count the evaluation items that share a template, question or response with training.

    `every_response` counts items of two or more responses that all occur in training under the
    same question, there in one item or in several. A near duplicate is a text of at least
    `SHORT_WORDS` words that is not the same after `normalise` and whose word 3-grams have a
    Jaccard similarity of at least the threshold with a training text (`near_duplicate.py`).

    Args:
        train: The items a judge learns from.
        evaluation: The items it is measured on.
        near_duplicate_threshold: Least similarity, 0.1 to 1.

    Returns:
        A share per level. With an empty side every count is 0, and `leak_findings` says that
        nothing was checked.

    Raises:
        RecipeError: If the threshold lies outside its range.
        DataError: If an evaluation item is listed twice.

    >>> train = [LeakItem("t1", "q1", "p1", ("Yes, I am sure of it.", "No."))]
    >>> report = leak_audit(train, [LeakItem("e1", "q1", "p1", ("NO.", "Perhaps."))])
    >>> [(s.level.value, s.count, s.of) for s in report.shares if s.count]
    [('template', 1, 1), ('question', 1, 1), ('response', 1, 1)]
    """
    n = len({item.item_id for item in evaluation})
    if n != len(evaluation):
        raise DataError(
            f"leak audit: expected {len(evaluation)} different evaluation item ids, found {n}; "
            "an item must be listed once"
        )
    known = _Training(train)
    partners: dict[LeakLevel, dict[str, str]] = {level: {} for level in LeakLevel}
    for item in evaluation:
        for level, partner in known.partners(item):
            partners[level].setdefault(item.item_id, partner)
    _add_near_duplicates(known, evaluation, near_duplicate_threshold, partners)
    unchecked = sum(item.template_id is None for item in evaluation)
    shares = [
        _share(level, partners[level], n, unchecked if level is LeakLevel.TEMPLATE else 0)
        for level in LeakLevel
    ]
    return LeakReport(
        n_train=len(train),
        n_evaluation=n,
        threshold=near_duplicate_threshold,
        shares=tuple(shares),
        train_left={lv: len(clear_training(train, evaluation, level=lv)) for lv in SplitLevel},
        train_without_template=sum(item.template_id is None for item in train),
    )


def clear_training(
    train: Iterable[LeakItem], evaluation: Iterable[LeakItem], *, level: SplitLevel
) -> tuple[LeakItem, ...]:
    """Give the training items that share no question, or no template, with an evaluation item.

    At the template level a training item must also share no question, and one without a template
    id is left out, since nothing shows that it is clear.

    Args:
        train: The items a judge learns from, in the order they are returned.
        evaluation: The items it is measured on.
        level: What must not be shared.

    >>> train = [LeakItem("t1", "q1", "p1", ()), LeakItem("t2", "q2", "p1", ())]
    >>> held_out = [LeakItem("e1", "q1", "p1", ())]
    >>> [item.item_id for item in clear_training(train, held_out, level=SplitLevel.QUESTION)]
    ['t2']
    >>> clear_training(train, held_out, level=SplitLevel.TEMPLATE)
    ()
    """
    held_out = list(evaluation)
    groups = {item.group_id for item in held_out}
    kept = [item for item in train if item.group_id not in groups]
    if level is SplitLevel.QUESTION:
        return tuple(kept)
    templates = {item.template_id for item in held_out} | {None}
    return tuple(item for item in kept if item.template_id not in templates)


class _Training:
    """The training side, indexed by what can be shared; each maps to its first item's id."""

    def __init__(self, items: Sequence[LeakItem]) -> None:
        self.groups: dict[str, str] = {}
        self.templates: dict[str, str] = {}
        self.texts: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for item in items:
            self.groups.setdefault(item.group_id, item.item_id)
            if item.template_id is not None:
                self.templates.setdefault(item.template_id, item.item_id)
            for text in item.texts:
                self.texts[normalise(text)].setdefault(item.group_id, item.item_id)

    def partners(self, item: LeakItem) -> Iterable[tuple[LeakLevel, str]]:
        """The levels that this evaluation item shares, each with a training item's id."""
        if item.group_id in self.groups:
            yield LeakLevel.QUESTION, self.groups[item.group_id]
        if item.template_id is not None and item.template_id in self.templates:
            yield LeakLevel.TEMPLATE, self.templates[item.template_id]
        texts = [normalise(text) for text in item.texts]
        homes = [self.texts.get(text, {}) for text in texts]
        same = [home[item.group_id] for home in homes if item.group_id in home]
        if same:
            yield LeakLevel.RESPONSE, same[0]
        if same and len(same) == len(texts) >= 2:
            yield LeakLevel.EVERY_RESPONSE, same[0]
        for text, home in zip(texts, homes, strict=True):
            other = _other(home, item.group_id)
            if other is not None:
                short = is_short(text)
                yield LeakLevel.OTHER_QUESTION_SHORT if short else LeakLevel.OTHER_QUESTION, other


def is_short(text: str) -> bool:
    """Tell whether a text has fewer than `SHORT_WORDS` words between white space.

    >>> is_short("<answer>B</answer>"), is_short("I think it was Maria.")
    (True, False)
    """
    return len(text.split(maxsplit=SHORT_WORDS)) < SHORT_WORDS


def _other(home: Mapping[str, str], group_id: str) -> str | None:
    """A training item under another question than group_id, if home has one."""
    return next((item_id for group, item_id in home.items() if group != group_id), None)


def _add_near_duplicates(
    known: _Training,
    evaluation: Sequence[LeakItem],
    threshold: float,
    partners: Mapping[LeakLevel, dict[str, str]],
) -> None:
    """Enter the near duplicates as partners, text by text: a text may be in many items."""
    train_texts = [text for text in known.texts if not is_short(text)]
    index = NearDuplicateIndex.build(train_texts, threshold=threshold)
    holders: defaultdict[str, list[LeakItem]] = defaultdict(list)
    for item in evaluation:
        for text in dict.fromkeys(map(normalise, item.texts)):
            if not is_short(text):
                holders[text].append(item)
    looked_up = index.look_up(list(holders))
    for (text, items), near in zip(holders.items(), looked_up, strict=True):
        homes = {j: known.texts[train_texts[j]] for j in near.indices if train_texts[j] != text}
        groups = {item.group_id for item in items}
        same = _near_under_same(groups & known.groups.keys(), homes, near, threshold)
        other = _near_under_other(groups, homes, near, threshold)
        for item in items:
            if item.group_id in same:
                partner = same[item.group_id]
                partners[LeakLevel.NEAR_DUPLICATE].setdefault(item.item_id, partner)
            if item.group_id in other:
                partner = other[item.group_id]
                partners[LeakLevel.OTHER_QUESTION_NEAR].setdefault(item.item_id, partner)


def _near_under_same(
    groups: set[str], homes: Mapping[int, Mapping[str, str]], near: Candidates, threshold: float
) -> dict[str, str]:
    """For each question, a training item that holds a near text under that question."""
    found: dict[str, str] = {}
    for j, home in homes.items():
        if len(found) == len(groups):
            break
        hits = (groups & home.keys()) - found.keys()
        if hits and near.similarity(j) >= threshold:
            found.update((group, home[group]) for group in hits)
    return found


def _near_under_other(
    groups: set[str], homes: Mapping[int, Mapping[str, str]], near: Candidates, threshold: float
) -> dict[str, str]:
    """For each question, a training item that holds a near text under another question."""
    found: dict[str, str] = {}
    for j, home in homes.items():
        if len(found) == len(groups):
            break
        others = {group: _other(home, group) for group in groups - found.keys()}
        if any(others.values()) and near.similarity(j) >= threshold:
            found.update((group, item_id) for group, item_id in others.items() if item_id)
    return found


def _share(level: LeakLevel, partners: Mapping[str, str], n: int, unchecked: int) -> LevelShare:
    examples = sorted(partners.items())[:MAX_EXAMPLE_PAIRS]
    return LevelShare(level, len(partners), n - unchecked, unchecked, tuple(examples))
