"""What the terms of a run's records forbid, leave open, and ask for."""

from collections.abc import Callable, Iterable, Iterator

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.audits.licence_table import LicenceTable, OutputTerms
from judgesmith.audits.licences import May, Part, conditions_of

AUDIT = "licences"


def licence_findings(table: LicenceTable) -> tuple[Finding, ...]:
    """Report training that a model's terms forbid, terms that nobody stated, and the sum.

    An error is a model whose terms forbid training on its outputs, in records that a student
    learns from. A warning is a model of the recipe whose terms are not stated. What may be
    published, unknown licences of sources, and what a student's card must name are figures to
    know.

    >>> from judgesmith.audits.licence_table import Carried, licence_table
    >>> from judgesmith.audits.licences import ModelTerms, Terms, terms_of
    >>> big = ModelTerms("v/big-1", Terms(licence="V's terms", publish=True, train=False))
    >>> parts = terms_of("MIT", teachers=["big"], models={"big": big})
    >>> table = licence_table({"sft": [Carried("r1", parts)]}, training=["sft"])
    >>> first, *_ = licence_findings(table)
    >>> first.severity.value, first.message.split(", whose")[0]
    ('error', '1 of 1 records of sft rest on teacher big (v/big-1)')
    """
    if not table.outputs:
        return ()
    found = [*_forbidden(table), *_unstated(table), _published(table), *_open_sources(table)]
    student = table.student()
    return (*found, _card(table, student)) if student else tuple(found)


def _parts(outputs: Iterable[OutputTerms], wanted: Callable[[Part], bool]) -> list[Part]:
    """The parts of some outputs that are wanted, each once, in the order found."""
    everything = (part for output in outputs for one in output.sets for part in one.parts)
    return list(dict.fromkeys(part for part in everything if wanted(part)))


def _resting(outputs: Iterable[OutputTerms], parts: Iterable[Part]) -> tuple[int, tuple[str, ...]]:
    """How many records rest on any of the parts, and ids of some."""
    wanted = set(parts)
    sets = [one for output in outputs for one in output.sets if wanted & set(one.parts)]
    ids = [record_id for one in sets for record_id in one.examples]
    return sum(one.n for one in sets), tuple(ids[:MAX_EXAMPLES])


def _total(table: LicenceTable) -> int:
    return sum(output.n for output in table.outputs)


def _is_open(part: Part) -> bool:
    return May.UNKNOWN in (part.terms.publish, part.terms.train)


def _forbidden(table: LicenceTable) -> Iterator[Finding]:
    for output in table.outputs:
        forbidding = _parts([output], lambda part: part.terms.train is May.NO)
        for part in forbidding if output.trains else ():
            count, examples = _resting([output], [part])
            yield Finding(
                audit=AUDIT,
                severity=Severity.ERROR,
                message=(
                    f"{count} of {output.n} records of {output.output} rest on {part.who}, whose "
                    f"terms ({part.terms.licence}) forbid training other models on its outputs"
                ),
                count=count,
                of=output.n,
                examples=examples,
                effect="a student trained on these records breaks those terms",
                remedy=(
                    "take responses and labels from models whose terms allow training; where "
                    f"these do after all, correct models.{part.name}.terms"
                ),
            )


def _unstated(table: LicenceTable) -> Iterator[Finding]:
    by_name: dict[str, list[Part]] = {}
    for part in _parts(table.outputs, lambda part: bool(part.name) and _is_open(part)):
        by_name.setdefault(part.name, []).append(part)
    for name, parts in by_name.items():
        count, examples = _resting(table.outputs, parts)
        terms = parts[0].terms
        asked = {"publish its outputs": terms.publish, "train other models on them": terms.train}
        lacking = [what for what, answer in asked.items() if answer is May.UNKNOWN]
        yield Finding(
            audit=AUDIT,
            severity=Severity.WARNING,
            message=(
                f"{count} of {_total(table)} records rest on model {name} ({parts[0].model}), and "
                f"the recipe does not say whether one may {' and '.join(lacking)}"
            ),
            count=count,
            of=_total(table),
            examples=examples,
            effect="whether these records, and a student of theirs, may be published is unknown",
            remedy=(
                f"read the vendor's terms and write them down, such as models.{name}.terms: "
                "{licence: NAME, publish: yes, train: yes, conditions: [...]}"
            ),
        )


def _published(table: LicenceTable) -> Finding:
    sets = [one for output in table.outputs for one in output.sets]
    kept = [one for one in sets if one.publish is not May.YES]
    free = [one for one in sets if one.publish is May.YES]
    conditions = conditions_of(part for one in free for part in one.parts)
    return Finding(
        audit=AUDIT,
        severity=Severity.INFO,
        message=f"records that may be published: {', '.join(map(_told, table.outputs))}",
        count=_total(table) - sum(one.n for one in kept),
        of=_total(table),
        examples=tuple(name for one in kept for name in one.examples)[:MAX_EXAMPLES],
        effect="whoever publishes other records may break the terms of their owners",
        remedy=f"publish these only; conditions: {', '.join(conditions) or 'none'}",
    )


def _told(output: OutputTerms) -> str:
    words = {May.NO: "may not", May.UNKNOWN: "unknown"}
    left = [f"{output.publish(a)} {word}" for a, word in words.items() if output.publish(a)]
    more = f" ({', '.join(left)})" if left else ""
    return f"{output.output} {output.publish(May.YES)} of {output.n}{more}"


def _open_sources(table: LicenceTable) -> Iterator[Finding]:
    for part in _parts(table.outputs, lambda part: not part.name and _is_open(part)):
        count, examples = _resting(table.outputs, [part])
        yield Finding(
            audit=AUDIT,
            severity=Severity.INFO,
            message=(
                f"{count} of {_total(table)} records stand under {part.terms.licence!r} "
                f"({part.who}), which is no licence that is known here"
            ),
            count=count,
            of=_total(table),
            examples=examples,
            effect="they count as unknown, not as free",
            remedy="ask their owner; of a common licence, give the SPDX identifier alone",
        )


def _card(table: LicenceTable, student: tuple[Part, ...]) -> Finding:
    rows = sum(output.n for output in table.outputs if output.trains)
    conditions = conditions_of(student)
    return Finding(
        audit=AUDIT,
        severity=Severity.INFO,
        message=(
            "the card of a student trained on these rows names "
            + "; ".join(part.title for part in student)
            + (f". Conditions: {', '.join(conditions)}" if conditions else "")
        ),
        count=rows,
        of=rows,
        examples=(),
        effect="terms of what a model learned from can bind the model",
        remedy="copy this into the card",
    )
