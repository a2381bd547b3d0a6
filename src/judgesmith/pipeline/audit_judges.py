"""Audits of judgments: unparsed replies, the order shown, and differences between two judges."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from judgesmith.audits.few_items import (
    ComparedSlice,
    FewItemsRow,
    compare_slices,
    few_items_findings,
    few_items_table,
    least_discordant,
)
from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.audits.order import ORIGINAL, SWAPPED, OrderedJudgment, order_table
from judgesmith.audits.order_findings import order_findings
from judgesmith.audits.unparsed import PARSED, JudgedItem, unparsed_findings, unparsed_table
from judgesmith.evaluation.collect import VoteKey
from judgesmith.evaluation.foreign import judge_of
from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.measure import MOST_PAIRED
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_inputs import AuditSet
from judgesmith.pipeline.audit_labels import NO_LABELS
from judgesmith.records import TIE, Status

NO_JUDGMENTS = "the files hold no judgments"
ONE_JUDGE = "needs two judges of the same labelled items"


def audit_judgments(given: AuditSet, into: Audited) -> None:
    """Run every audit that needs judgments, but no texts."""
    found, labels = given.found, given.labels
    judges = [name for name in found.judges() if name not in labels.by]
    numeric = labels.numeric or not given.subject.pairs
    for audit, needs_labels in (("unparsed", True), ("order", False), ("few_items", True)):
        if not judges:
            into.skip(audit, NO_JUDGMENTS, of=given.name)
        elif needs_labels and not labels.verdicts:
            reason = "labels are scores, not verdicts" if labels.numeric else NO_LABELS
            into.skip(audit, reason, of=given.name)
        elif audit == "order" and numeric:
            into.skip(audit, "single responses have no order", of=given.name)
        else:
            {"unparsed": _unparsed, "order": _order, "few_items": _few_items}[audit](
                given, judges, into
            )


def _passes(given: AuditSet, judge: str) -> Iterator[VoteKey]:
    """A judge's first pass in each order."""
    for swapped in (False, True):
        keys = [k for k in given.found.votes if k.by == judge and k.swapped is swapped]
        if keys:
            yield min(keys, key=lambda key: key.sample)


def _unparsed(given: AuditSet, judges: list[str], into: Audited) -> None:
    for judge in judges:
        keys = list(_passes(given, judge))
        for key in keys:
            items = list(_judged(given, key))
            if not items:
                continue
            shown = judge if len(keys) < 2 else f"{judge}, {_order_name(key)} order"
            table = unparsed_table(items, tie=given.subject.tie or TIE)
            name = f"unparsed, {shown}, {given.name}"
            into.add(name, table.to_dict(), unparsed_findings(table), of=shown)


def _order_name(key: VoteKey) -> str:
    return "swapped" if key.swapped else "stored"


def _judged(given: AuditSet, key: VoteKey) -> Iterator[JudgedItem]:
    votes = given.found.votes[key]
    seen: set[str] = set()
    for i, label in given.labels.verdicts.items():
        if not votes.has(i):
            continue
        said = given.found.values[votes.codes[i] - 1]
        where = given.judged_at(key, i)
        if where in seen:
            where = f"{where}, item {' '.join(filter(None, given.found.names[i]))}"
        seen.add(where)
        unparsed = isinstance(said, Status)
        yield JudgedItem(
            where,
            given.buckets[i],
            None if unparsed else said,
            label,
            status=said.value if isinstance(said, Status) else PARSED,
            reply=given.reply_of(key, i),
        )


def _order(given: AuditSet, judges: list[str], into: Audited) -> None:
    """Items of the hash sample; without labels only which orders there are is looked at."""
    judgments = []
    labels = given.labels.verdicts
    scorers = set(dict(given.subject.scores_of).values()) & set(judges)
    if scorers:
        reason = f"gives scores, so it is not known to have an order: {', '.join(sorted(scorers))}"
        into.skip("order of some judges", reason, of=given.name)
    proof = set(given.subject.order_proof) & set(judges)
    if proof:
        reason = f"order-proof by construction: {', '.join(sorted(proof))}"
        into.skip("order of judges that see none", reason, of=given.name)
    for judge in judges:
        if judge in scorers | proof:
            continue
        for key in _passes(given, judge):
            votes = given.found.votes[key]
            order = SWAPPED if key.swapped else ORIGINAL
            judgments += [
                OrderedJudgment(
                    given.judged_at(key, i), judge, str(i), order,
                    given.found.verdict(votes, i), labels.get(i, ""),
                )
                for i in given.chosen
                if votes.has(i) and (not labels or i in labels)
            ]  # fmt: skip
    table = order_table(judgments)
    into.add(f"order, {given.name}", table.to_dict(), order_findings(table))


def _known_difference(found: Finding) -> Finding:
    """Nobody claimed the difference: a warning only where the items could never show one."""
    reachable = found.count >= least_discordant()
    return replace(found, severity=Severity.INFO) if reachable else found


def _few_items(given: AuditSet, judges: list[str], into: Audited) -> None:
    """Every two judges (of many: each with the first), on all items and on every bucket."""
    rows = given.labels.verdicts
    known = [judge_of(given.found, name, "judge", rows, tie=given.subject.tie) for name in judges]
    known = [judge for judge in known if judge.verdicts]
    pairs = (
        list(combinations(known, 2))
        if len(known) <= MOST_PAIRED
        else [(known[0], other) for other in known[1:]]
    )
    claims, parts = [], {}
    for first, second in pairs:
        title = f"{first.name} against {second.name}"
        both = [i for i in rows if i in first.verdicts and i in second.verdicts]
        if both:
            claims.append(_compared(given, (first, second), both, [title] * len(both))[0])
            parts[title] = [
                part
                for name, column in given.fields.items()
                for part in _compared(given, (first, second), both, [
                    f"{name} {column[i]}" for i in both
                ])
            ]  # fmt: skip
    if not claims:
        into.skip("few_items", ONE_JUDGE, of=given.name)
        return
    table = few_items_table(claims)
    name = f"few_items, {given.name}"
    findings = few_items_findings(table)
    into.add(name, table.to_dict(), map(_known_difference, findings))
    for title, compared in parts.items():
        inner = few_items_table([_unclaimed(part) for part in compared])
        into.tables[f"few_items, {title}, {given.name}"] = inner.to_dict()
        into.say(_undecidable(title, inner.rows))


def _compared(
    given: AuditSet, judges: tuple[Judge, Judge], items: list[int], slices: list[str]
) -> tuple[ComparedSlice, ...]:
    first, second = ([judge.verdicts[i].averaged for i in items] for judge in judges)
    labels = [given.labels.verdicts[i] for i in items]
    where = [given.where(i) for i in items]
    return compare_slices(first, second, labels, slices=slices, where=where)


def _unclaimed(part: ComparedSlice) -> ComparedSlice:
    return ComparedSlice(
        part.name, part.gained, part.lost, part.n, claimed=False, examples=part.examples
    )


def _undecidable(title: str, rows: tuple[FewItemsRow, ...]) -> Iterator[Finding]:
    """One finding for all slices on which two judges differ, but on too few items to conclude."""
    few = [row for row in rows if 0 < row.discordant < row.least_discordant]
    if not few:
        return
    few.sort(key=lambda row: (-abs(row.compared.gained - row.compared.lost), row.compared.name))
    told = "; ".join(
        f"{row.compared.name}: {row.compared.gained} gained, {row.compared.lost} lost of "
        f"{row.compared.n}"
        for row in few[:3]
    )
    more = f"; and {len(few) - 3} more" if len(few) > 3 else ""
    yield Finding(
        audit="few_items",
        severity=Severity.INFO,
        message=(
            f"{title}: on {len(few)} of {len(rows)} slices fewer than {few[0].least_discordant} "
            f"items tell them apart ({told}{more})"
        ),
        count=len(few),
        of=len(rows),
        examples=tuple(place for row in few for place in row.compared.examples)[:MAX_EXAMPLES],
        effect="no difference on these slices can be concluded, whatever it looks like",
        remedy="draw no conclusion there, or label more items of these slices",
    )
