"""Audits across files: what evaluation shares with training, and what sets have in common."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from judgesmith.audits.across import PlacedText, across_findings, across_table
from judgesmith.audits.leak import is_short, leak_audit, normalise
from judgesmith.audits.leak_report import LeakItem, LeakReport, SplitLevel, leak_findings
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import short_name
from judgesmith.pipeline.audit_rows import TrainingRow
from judgesmith.sources.imported import ImportedRow

TEMPLATE = "template_id"
"""The field of an item that names the template of its question."""

FIRST_WORDS = 5
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class TextItem:
    """The texts of one item, or of one training row.

    `rendered` is true where the question's text is a whole prompt that holds question and
    responses somewhere inside.
    """

    id: str
    where: str
    group: str
    template: str | None
    question: str | None
    responses: tuple[str, ...]
    rendered: bool = False


def items_of(rows: Iterable[ImportedRow]) -> list[TextItem]:
    """Each item once, with the texts of the first row that has any."""
    found: dict[str, TextItem] = {}
    for row in rows:
        item = row.item
        known = found.get(item.id)
        if known is None or not (known.question or known.responses):
            found[item.id] = TextItem(
                item.id,
                item.where,
                short_name(item.cluster),
                item.fields.get(TEMPLATE),
                item.question,
                item.responses or (),
            )
    return list(found.values())


def items_of_training(rows: Iterable[TrainingRow]) -> list[TextItem]:
    """Training rows as texts: the prompt, and what is to be learned."""
    return [
        TextItem(
            row.where, row.where, row.group, None, row.prompt or None,
            tuple(text for text in (row.chosen, row.rejected) if text), rendered=True,
        )
        for row in rows
    ]  # fmt: skip


class Held:
    """Finds known texts of five words or more inside long ones, in one walk over the words.

    >>> held = Held({"g1": ["Who went to the market?"]})
    >>> held.inside("Question: who went to the market? Answer A or B.")
    {'g1': ['Who went to the market?']}
    """

    def __init__(self, texts: Mapping[str, Iterable[str]]) -> None:
        self._by_start: dict[tuple[str, ...], list[tuple[list[str], str, str]]] = defaultdict(list)
        for name, several in texts.items():
            for text in dict.fromkeys(several):
                words = _WORD.findall(text.casefold())
                if len(words) >= FIRST_WORDS:
                    start = tuple(words[:FIRST_WORDS])
                    self._by_start[start].append((words, name, text))

    def inside(self, text: str) -> dict[str, list[str]]:
        """The known texts that stand in a text, by the name they were given under."""
        words = _WORD.findall(text.casefold())
        found: dict[str, list[str]] = {}
        for i in range(len(words) - FIRST_WORDS + 1):
            for known, name, original in self._by_start.get(tuple(words[i : i + FIRST_WORDS]), ()):
                if words[i : i + len(known)] == known:
                    held = found.setdefault(name, [])
                    if original not in held:
                        held.append(original)
        return found


def audit_leak(
    train: Sequence[TextItem], evaluation: Sequence[TextItem], into: Audited
) -> LeakReport:
    """Compare the training side with the evaluation side, text by text and question by question.

    Items of one group id share a question unless both sides give its text and the texts differ;
    the same text is the same question whatever its id. A training row's prompt shares a question
    or a response if the text stands somewhere in it.
    """
    known = [item for item in evaluation if item.question or item.responses]
    report = leak_audit(list(_training(train, known)), list(_evaluation(known)))
    templates = any(item.template for item in train) and any(item.template for item in known)
    found = leak_findings(report, SplitLevel.QUESTION)
    if not templates:
        found = tuple(f for f in found if "no template id" not in f.message)
        into.skip("leak by template", f"needs a field {TEMPLATE} on both sides")
    into.add("leak", report.to_dict(), found)
    into.leaks = report.to_dict()
    if any(item.rendered for item in train):
        into.skip(
            "leak by near duplicates inside prompts",
            "questions and responses were looked for in prompts word by word",
        )
    _near_questions(train, known, into)
    return report


def _near_questions(
    train: Sequence[TextItem], evaluation: Sequence[TextItem], into: Audited
) -> None:
    sides = {
        "questions of training": [item for item in train if not item.rendered],
        "questions of evaluation": list(evaluation),
    }
    texts = {
        name: [PlacedText(i.where, i.question) for i in items if i.question]
        for name, items in sides.items()
    }
    if all(texts.values()):
        table = across_table(texts)
        into.add("leak, questions", table.to_dict(), across_findings(table))


def _evaluation(items: Sequence[TextItem]) -> Iterator[LeakItem]:
    seen: set[str] = set()
    for item in items:
        name = item.where if item.where not in seen else f"{item.where}, item {item.id}"
        seen.add(item.where)
        yield LeakItem(name, item.group, item.template, item.responses)


def _training(train: Sequence[TextItem], evaluation: Sequence[TextItem]) -> Iterator[LeakItem]:
    texts: dict[str, set[str]] = defaultdict(set)
    group_of: dict[str, str] = {}
    for item in evaluation:
        asked = texts[item.group]
        if item.question:
            asked.add(normalise(item.question))
            if not is_short(item.question):
                group_of.setdefault(normalise(item.question), item.group)
    rendered = any(item.rendered for item in train)
    questions = Held(_questions(evaluation) if rendered else {})
    responses = Held(_responses(evaluation) if rendered else {})
    for item in train:
        if not item.rendered:
            group = _same_question(item, texts, group_of)
            yield LeakItem(item.where, group, item.template, item.responses)
            continue
        inside = questions.inside(item.question or "")
        copied = [t for several in responses.inside(item.question or "").values() for t in several]
        for group in inside or {f"training {item.group}": []}:
            yield LeakItem(item.where, group, None, (*item.responses, *copied))


def _same_question(
    item: TextItem, texts: Mapping[str, set[str]], group_of: Mapping[str, str]
) -> str:
    asked = None if item.question is None else normalise(item.question)
    known = texts.get(item.group)
    if known is not None and (asked is None or not known or asked in known):
        return item.group
    if asked is not None and asked in group_of:
        return group_of[asked]
    return item.group if known is None else f"training {item.group}"


def _questions(items: Iterable[TextItem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for item in items:
        if item.question and not item.rendered:
            found[item.group].append(item.question)
    return found


def _responses(items: Iterable[TextItem]) -> dict[str, list[str]]:
    return {"": [text for item in items for text in item.responses]}


def audit_across(sets: Mapping[str, Sequence[TextItem]], into: Audited) -> None:
    """Count the questions, and the responses, that every two sets have in common."""
    if len(sets) < 2:
        into.skip("across", "needs two sets or more: name several paths")
        return
    questions = {
        name: [PlacedText(item.where, item.question) for item in items if item.question]
        for name, items in sets.items()
    }
    responses = {
        name: [PlacedText(item.where, text) for item in items for text in item.responses]
        for name, items in sets.items()
    }
    for what, texts in (("questions", questions), ("responses", responses)):
        kept = {f"{what} of {name}": held for name, held in texts.items() if held}
        if len(kept) < 2:
            into.skip(f"across, {what}", f"fewer than two sets hold {what}")
            continue
        table = across_table(kept)
        into.add(f"across, {what}", table.to_dict(), across_findings(table))


def once(names: Iterable[str]) -> list[str]:
    """Names in order, repeated ones numbered.

    >>> once(["a", "b", "a"])
    ['a (1)', 'b', 'a (2)']
    """
    given = list(names)
    counts = {name: sum(1 for _ in several) for name, several in groupby(sorted(given))}
    seen: dict[str, int] = defaultdict(int)
    made = []
    for name in given:
        seen[name] += 1
        made.append(name if counts[name] == 1 else f"{name} ({seen[name]})")
    return made
