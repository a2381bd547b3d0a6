"""Audits of labels: their balance, gold against votes, teacher against people, who wrote what."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from judgesmith.audits.family import ModelPair, family_findings, family_table
from judgesmith.audits.generator import GeneratedItem, generator_findings, generator_table
from judgesmith.audits.labels import LabelItem, LabelTable, label_findings, label_table
from judgesmith.audits.modes import MadeItem, mode_findings, mode_table
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.audits.ties import VotedItem, ties_findings, ties_table
from judgesmith.evaluation.collect import VoteKey
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import NO_BUCKET, AuditSet
from judgesmith.records import TIE

NO_LABELS = "the files hold no labels by people or by a key"
FEWEST = 20
"""A field's value with fewer labels is no bucket of its own; agreement is not shown there."""

MODES = ("mode", "failure_mode", "how_made")
"""Fields that say in which way an item was made."""


def audit_labels(given: AuditSet, into: Audited) -> None:
    """Run every audit that needs labels, or who wrote the responses, but no texts."""
    skip = partial(into.skip, of=given.name)
    _balance(given, into)
    _ties(given, into)
    _rubric(given, into)
    _family(given, into)
    if "models" not in given.columns:
        skip("generator", "the files do not say which models wrote the responses")
    elif not given.labels.verdicts:
        skip("generator", NO_LABELS)
    else:
        table = generator_table(list(_generated(given)))
        into.add(f"generator, {given.name}", table.to_dict(), generator_findings(table))
    _modes(given, into)


def _balance(given: AuditSet, into: Audited) -> None:
    labels = given.labels
    if not labels.verdicts:
        reason = "labels are scores; their balance has no meaning" if labels.numeric else NO_LABELS
        into.skip("labels", reason, of=given.name)
        return
    first = bucket_title(given)
    for name, column in {first: given.buckets, **given.fields}.items():
        table = label_table(
            [LabelItem(given.where(i), column[i], label) for i, label in labels.verdicts.items()]
        )
        said = table if name in ("bucket", NO_BUCKET) else _large_rows(table)
        if name != first:
            said = replace(said, overall=None, slot_p=1.0)  # said of all items already
        into.add(f"labels, {name}, {given.name}", table.to_dict(), label_findings(said))


def _large_rows(table: LabelTable) -> LabelTable:
    """Without the rows that are too few to show agreement, whatever their labels are."""
    return replace(table, buckets=tuple(row for row in table.buckets if row.n >= FEWEST))


def _first_passes(given: AuditSet, roles: Sequence[str]) -> dict[str, VoteKey]:
    """Each annotator's stored-order pass with the smallest sample number."""
    chosen: dict[str, VoteKey] = {}
    for key in sorted(given.found.votes, key=lambda key: (key.swapped, key.sample)):
        if key.role in roles:
            chosen.setdefault(key.by, key)
    return chosen


def _ties(given: AuditSet, into: Audited) -> None:
    """Gold is the key; the votes are those of the people."""
    found = given.found
    people = list(_first_passes(given, ["person"]).values())
    keys = list(_first_passes(given, ["key"]).values())
    if len(people) < 2 or not keys:
        reason = "needs the votes of two people or more, and a gold label (role: key) beside them"
        into.skip("ties", reason, of=given.name)
        return
    gold = found.votes[keys[0]]
    items = []
    for position in gold.positions():
        label = found.verdict(gold, position)
        votes = tuple(
            found.verdict(found.votes[key], position) if found.votes[key].has(position) else None
            for key in people
        )
        if label is not None and any(vote is not None for vote in votes):
            items.append(VotedItem(given.where(position), votes, label))
    table = ties_table(items, tie=given.subject.tie or TIE)
    into.add(f"ties, {given.name}", table.to_dict(), ties_findings(table))


def _rubric(given: AuditSet, into: Audited) -> None:
    """The teacher, or else the key, against the people."""
    people = given.people_or_key
    rivals = _first_passes(given, ["judge"])
    rivals = {name: key for name, key in rivals.items() if name == given.subject.teacher}
    rivals |= _first_passes(given, ["key"])
    if people.kind != "people" or not people.verdicts or not rivals:
        lacking = (
            "the files hold no labels by people"
            if people.kind != "people" or not people.verdicts
            else "the mapping names no teacher, and there is no key beside the people"
        )
        into.skip("rubric", lacking, of=given.name)
        return
    for name, key in rivals.items():
        votes = given.found.votes[key]
        items = [
            TwiceJudged(given.judged_at(key, i), given.buckets[i], verdict, label)
            for i, label in people.verdicts.items()
            if votes.has(i) and (verdict := given.found.verdict(votes, i)) is not None
        ]
        table = rubric_table(items)
        into.add(f"rubric, {name}, {given.name}", table.to_dict(), rubric_findings(table), of=name)


def _family(given: AuditSet, into: Audited) -> None:
    pairs: list[ModelPair] = []
    subject = given.subject
    if subject.teacher and subject.student:
        pairs.append(ModelPair(given.name, "teacher", subject.teacher, "student", subject.student))
    if "models" in given.columns:
        pairs += _judged_models(given)
    if not pairs:
        reason = "the files name neither the models that wrote the responses, nor a teacher"
        into.skip("family", reason, of=given.name)
        return
    table = family_table(pairs)
    into.add(f"family, {given.name}", table.to_dict(), family_findings(table))


def _judged_models(given: AuditSet) -> Iterator[ModelPair]:
    for name, key in _first_passes(given, ["judge"]).items():
        votes = given.found.votes[key]
        for i in given.chosen:
            if votes.has(i):
                for model in dict.fromkeys(given.found.models[i] or ()):
                    if model != name:
                        yield ModelPair(given.judged_at(key, i), "judge", name, "generator", model)


def _generated(given: AuditSet) -> Iterable[GeneratedItem]:
    for i in given.chosen:
        models, label = given.found.models[i], given.labels.verdicts.get(i)
        if models and label is not None:
            yield GeneratedItem(given.where(i), given.groups[i], models, label)


def _modes(given: AuditSet, into: Audited) -> None:
    name = next((name for name in MODES if name in given.fields), None)
    if name is None:
        reason = f"no field says how items were made ({', '.join(MODES)})"
        into.skip("modes", reason, of=given.name)
        return
    verdicts = dict(given.labels.verdicts)
    for key in _first_passes(given, ["judge"]).values():
        votes = given.found.votes[key]
        for i in votes.positions():
            verdicts.setdefault(i, given.found.verdict(votes, i) or "none")
    column = given.fields[name]
    table = mode_table(MadeItem(given.where(i), column[i], v) for i, v in sorted(verdicts.items()))
    into.add(f"modes, {given.name}", table.to_dict(), mode_findings(table))


def bucket_title(given: AuditSet) -> str:
    """What buckets are here, for a reader: the name of a field."""
    for name, column in given.fields.items():
        if column is given.buckets:
            return name
    return NO_BUCKET
