"""What the table of questions with two stereotypes means: where who the people are tells the label.

Every finding is a warning: an imbalance does not make a result wrong, it makes it say less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.audits.labels import LARGEST_SHARE
from judgesmith.audits.two_stereotypes import TwoTable
from judgesmith.errors import RecipeError


@dataclass(frozen=True, slots=True)
class TwoLimits:
    """From where on an imbalance is reported.

    Attributes:
        p: A p-value below this is reported, 0 to 1.
        largest_share: A bucket is reported if one label holds more than this, 0 to 1.
        least_templates: Fewer distinct templates among the items are reported.
    """

    p: float = 0.01
    largest_share: float = LARGEST_SHARE
    least_templates: int = 25

    def __post_init__(self) -> None:
        for name, value in (("p", self.p), ("largest_share", self.largest_share)):
            if not 0 <= value <= 1:
                raise RecipeError(
                    f"two stereotypes limits, {name}: expected a number from 0 to 1, "
                    f"found {value!r}"
                )


def two_stereotypes_findings(
    table: TwoTable, limits: TwoLimits | None = None
) -> tuple[Finding, ...]:
    """Warn of what lets a judge know the answer from who the people are.

    Args:
        table: What `two_stereotypes_table` counted.
        limits: From where on to warn; the defaults of `TwoLimits` if None.

    >>> from judgesmith.audits.two_stereotypes import TwoItem, two_stereotypes_table
    >>> items = [TwoItem(f"i{n}", "two", f"t{n}", 1, n % 3, "AB"[n % 2]) for n in range(30)]
    >>> found = two_stereotypes_findings(two_stereotypes_table([], items))
    >>> found[0].message
    'the context of 30 settled items settles on the person of stereotype 1 in 30 and of stereotype 2
    in 0 (exact binomial p = 1.9e-09)'
    """
    limits = limits or TwoLimits()
    found = (_picked, _leaning, _settled, _placed, _labelled, _few_templates)
    return tuple(finding for look in found for finding in look(table, limits))


def _warning(
    message: str, *, count: int, of: int, effect: str, remedy: str, examples: Sequence[str] = ()
) -> Finding:
    return Finding(
        audit="two_stereotypes",
        severity=Severity.WARNING,
        message=message,
        count=count,
        of=of,
        examples=tuple(examples[:MAX_EXAMPLES]),
        effect=effect,
        remedy=remedy,
    )


def _picked(table: TwoTable, limits: TwoLimits) -> Iterator[Finding]:
    split = table.picks
    if split.p < limits.p:
        total = split.first + split.second
        yield _warning(
            f"of {total} biased responses to open questions {split.first} follow stereotype 1 and "
            f"{split.second} stereotype 2 (exact binomial p = {split.p:.2g})",
            count=max(split.first, split.second),
            of=total,
            effect="the bucket tests one of the two stereotypes more than the other",
            remedy="add responders that pick the rarer one, or read the bucket by stereotype",
        )


def _leaning(table: TwoTable, limits: TwoLimits) -> Iterator[Finding]:
    leaning = [row.template for row in table.by_template if row.p < limits.p]
    if leaning:
        yield _warning(
            f"in {len(leaning)} of {len(table.by_template)} templates the biased responses follow "
            "one of the two stereotypes far more often than the other",
            count=len(leaning),
            of=len(table.by_template),
            examples=leaning,
            effect="who is named gives the class away in these templates",
            remedy="add responders that pick the rarer one, or take these templates out",
        )


def _settled(table: TwoTable, limits: TwoLimits) -> Iterator[Finding]:
    split = table.settled
    if split.p < limits.p:
        total = split.first + split.second
        yield _warning(
            f"the context of {total} settled items settles on the person of stereotype 1 in "
            f"{split.first} and of stereotype 2 in {split.second} "
            f"(exact binomial p = {split.p:.2g})",
            count=max(split.first, split.second),
            of=total,
            effect="a judge that takes this person to be right agrees with the labels by that",
            remedy="ask both assignments of each pair of people, and draw items from all of them",
        )


def _placed(table: TwoTable, limits: TwoLimits) -> Iterator[Finding]:
    if table.places_p < limits.p:
        counts = ", ".join(map(str, table.places))
        yield _warning(
            f"the right choice of the settled items stands in the places in order {counts} times "
            f"(chi-squared p = {table.places_p:.2g})",
            count=max(table.places),
            of=sum(table.places),
            effect="a judge that prefers the commonest letter agrees with the labels by that",
            remedy="draw the place of each choice from the question's own content",
        )


def _labelled(table: TwoTable, limits: TwoLimits) -> Iterator[Finding]:
    for row in table.buckets:
        most = dict(row.counts)[row.top]
        if most > limits.largest_share * row.n:
            yield _warning(
                f"{row.bucket}: the answer key says {row.top!r} of {most} of {row.n} items "
                f"({most / row.n:.0%}); kappa will not be shown",
                count=most,
                of=row.n,
                examples=row.rest,
                effect="kappa turns on the few other items, and a constant judge is nearly right",
                remedy="change the quotas of the bucket's subtypes, or add responses of the other",
            )


def _few_templates(table: TwoTable, limits: TwoLimits) -> Iterator[Finding]:
    if table.n > 0 and table.templates < limits.least_templates:
        yield _warning(
            f"{table.n} items come from {table.templates} templates, fewer than "
            f"{limits.least_templates}",
            count=table.templates,
            of=max(table.templates, limits.least_templates),
            effect="after a split by template few are left on each side, and intervals are wide",
            remedy="add templates with two stereotypes, or take more questions",
        )
