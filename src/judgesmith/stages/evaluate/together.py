"""Parts of one evaluation held against each other: formats of one judge, and a merge's parents."""

from collections.abc import Mapping, Sequence

from judgesmith.evaluation.between import between_formats
from judgesmith.evaluation.kept import Names, kept_of_scores, kept_of_verdicts
from judgesmith.judging.dialect import Dialect
from judgesmith.records import Judgment, Kind
from judgesmith.report.score_results import Consistency, Kept
from judgesmith.stages.evaluate.asking import Asker
from judgesmith.stages.evaluate.config import MergeCheck
from judgesmith.stages.evaluate.measuring import Asked, Measured

Alone = Mapping[tuple[str, str], Mapping[str, list[Judgment]]]
"""Judgments of pairs whose responses were scored alone: by both dialects, then by student."""


def pairs_to_score(asked: Sequence[Asked], asker: Asker) -> Alone:
    """Have the responses of labelled pairs scored alone, wherever a recipe has both formats."""
    found: dict[tuple[str, str], Mapping[str, list[Judgment]]] = {}
    for pair in asked:
        for alone in asked:
            students = tuple(s for s in pair.part.students if s in alone.part.students)
            wanted = pair.dialect.kind is Kind.PAIR and alone.dialect.scores_alone
            if not (wanted and alone.part.pairs and students):
                continue
            part = alone.part.model_copy(update={"students": students})
            key = _key(pair, alone)
            if key not in found:
                found[key] = asker.ask(part, alone.dialect, pair.found.items, pair.found)
    return found


def _key(pair: Asked, alone: Asked) -> tuple[str, str]:
    return f"{pair.dialect.name} {pair.part.labels.value}", alone.dialect.name


def consistency(measured: Sequence[Measured], alone: Alone) -> tuple[Consistency, ...]:
    """Scores of single responses against verdicts and labels, for each two dialects."""
    found: dict[tuple[str, str], Consistency] = {}
    for pair in measured:
        for single in measured:
            key = _key(pair.asked, single.asked)
            if key in alone and key not in found:
                found[key] = _consistency(pair, single.asked.dialect, alone[key])
    return tuple(found.values())


def _consistency(
    pair: Measured, single: Dialect, scored: Mapping[str, list[Judgment]]
) -> Consistency:
    dialect = pair.asked.dialect
    directions = {dialect.direction, single.direction} - {None}
    judges = {judge.name: judge for judge in pair.judges}
    return Consistency(
        pair_dialect=dialect.name,
        score_dialect=single.name,
        labels_title=pair.asked.found.title,
        pairs=len(pair.rows),
        rows=tuple(
            row
            for name, judgments in scored.items()
            for row in between_formats(
                judges[name], judgments, pair.rows, pair.plan, same_direction=len(directions) < 2
            )
        ),
    )


def kept(measured: Sequence[Measured], merge: MergeCheck | None) -> tuple[Kept, ...]:
    """What a merged judge keeps of each specialist, in domain."""
    found: list[Kept] = []
    for one in measured if merge is not None else ():
        assert merge is not None
        dialect = one.asked.dialect.name
        specialist = merge.specialists.get(dialect)
        if specialist is None or not {merge.merged, specialist} <= {*one.asked.part.students}:
            continue
        names = Names(merge.merged, specialist, merge.joint, merge.least)
        part = one.parts[0]
        if one.scored:
            found += kept_of_scores(one.scored, part, one.plan, names, dialect)
        else:
            found += kept_of_verdicts(one.judges, part, one.plan, names, dialect)
    return tuple(found)
