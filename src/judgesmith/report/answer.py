"""Which judge is best supported: one sentence per slice, from the conclusions of paired tests."""

from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.report.numbers import plural
from judgesmith.report.result_tables import winner
from judgesmith.report.results import Comparison, Evaluation, Role

COMPETING: tuple[Role, ...] = ("student", "judge", "teacher", "before training")
"""Roles that compete; baselines, keys and people are what they are held against."""

MOST_NAMES = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """A heading and the sentence that goes with it."""

    title: str
    text: str


def answer(evaluation: Evaluation) -> Answer:
    """Say which judge is best supported, from `Comparison.conclusion` and nothing else.

    A judge is best supported when at least one test shows it better than another judge, none
    shows it worse, and no other judge can say the same. A higher number alone counts for nothing.

    Args:
        evaluation: Its comparisons, and the roles of its judges.

    Returns:
        The heading is that of the first slice which was compared; the text has a sentence per
        domain slice and metric.
    """
    found = [_one(evaluation, group) for group in comparison_groups(evaluation)]
    if not found:
        return Answer(
            "No comparison was made",
            "No two judges were compared by a test, so nothing here says that one is better.",
        )
    return Answer(found[0].title, " ".join(one.text for one in found))


def comparison_groups(evaluation: Evaluation) -> list[list[Comparison]]:
    """Give the comparisons by domain slice and metric; those of other slices if there are none."""
    domains = [info.name for info in evaluation.slices if info.kind == "domain"]
    rank = {name: place for place, name in enumerate(domains)}
    groups: dict[tuple[str, str], list[Comparison]] = {}
    whole = [one for one in evaluation.comparisons if one.slice in rank]
    for one in whole or evaluation.comparisons:
        groups.setdefault((one.slice, one.metric), []).append(one)
    ordered = sorted(groups, key=lambda key: rank.get(key[0], len(rank)))
    return [groups[key] for key in ordered]


def _one(evaluation: Evaluation, group: Sequence[Comparison]) -> Answer:
    titles = {info.name: info.title for info in evaluation.slices}
    competing = {judge.name for judge in evaluation.judges if judge.role in COMPETING}
    competing = competing or _names(group)  # judges that give scores are in no table of verdicts
    where = f"On {titles.get(group[0].slice, group[0].slice)}, by {group[0].metric}: "
    contest = [one for one in group if one.a in competing and one.b in competing]
    if not contest:
        yardsticks = _against_yardsticks(sorted(competing & _names(group)), competing, group)
        said = yardsticks or "no two judges were compared."
        return Answer("No two judges were compared", f"{where}{said[:1].lower()}{said[1:]}")
    wins = _wins(contest)
    names = list(dict.fromkeys(name for one in contest for name in (one.a, one.b)))
    if not wins:
        text = f"no difference is shown {_all_of(contest, len(names))}."
        return Answer("No difference shown", where + text)
    unbeaten = [name for name in names if all(loser != name for _, loser in wins)]
    leaders = [name for name in unbeaten if any(winner == name for winner, _ in wins)]
    if len(leaders) != 1:
        return Answer("No single judge is best supported", where + _several(leaders, contest))
    text = _leader(leaders[0], names, contest)
    extra = _against_yardsticks(leaders, competing, group)
    return Answer(f"Best supported: {leaders[0]}", f"{where}{text}{' ' + extra if extra else ''}")


def _all_of(contest: Sequence[Comparison], judges: int) -> str:
    """Say how much of the possible comparisons was made."""
    made = len({frozenset((one.a, one.b)) for one in contest})
    possible = judges * (judges - 1) // 2
    if possible == 1:
        return "between the two judges"
    whole = f"in any of the {possible:,} pairs of {judges:,} judges"
    if made == possible:
        return whole
    return f"in the {made:,} pairs of judges that were compared, of {possible:,} possible"


def _names(group: Sequence[Comparison]) -> set[str]:
    return {name for one in group for name in (one.a, one.b)}


def _wins(group: Sequence[Comparison]) -> set[tuple[str, str]]:
    won = [(winner(one), one) for one in group]
    return {(name, one.b if name == one.a else one.a) for name, one in won if name is not None}


def _several(leaders: Sequence[str], contest: Sequence[Comparison]) -> str:
    if not leaders:
        return "every judge that is shown better than one is shown worse than another."
    among = [one for one in contest if {one.a, one.b} <= {*leaders}]
    made, possible = len(among), len(leaders) * (len(leaders) - 1) // 2
    rest = "no test shows one of them better than the others"
    if made < possible:
        pairs = f"{made:,} of the {possible:,} pairs" if made else "no two"
        rest = f"of these judges, {pairs} were compared with each other"
    return (
        f"{listed(leaders)} are each shown better than another judge and worse than none; {rest}."
    )


def _leader(leader: str, names: Sequence[str], contest: Sequence[Comparison]) -> str:
    wins = _wins(contest)
    met = {frozenset((one.a, one.b)) for one in contest}
    others = [name for name in names if name != leader]
    beaten = [name for name in others if (leader, name) in wins]
    level = [n for n in others if n not in beaten and frozenset((leader, n)) in met]
    unmet = [n for n in others if frozenset((leader, n)) not in met]
    whom = listed(beaten)
    if len(beaten) == len(others) > 1:
        whom = f"each of the {len(others)} other judges"
    text = f"{leader} is best supported: it is shown better than {whom}"
    if level:
        text += f"; against {listed(level)} no difference is shown"
    if unmet:
        text += f"; it was not compared with {listed(unmet)}"
    return text + "."


def _against_yardsticks(
    judges: Sequence[str], competing: set[str], group: Sequence[Comparison]
) -> str:
    said = []
    for judge in judges:
        mine = [one for one in group if judge in (one.a, one.b)]
        mine = [one for one in mine if not {one.a, one.b} <= competing]
        wins = _wins(mine)
        other = {id(one): one.b if one.a == judge else one.a for one in mine}
        better = [other[id(one)] for one in mine if (judge, other[id(one)]) in wins]
        worse = [other[id(one)] for one in mine if (other[id(one)], judge) in wins]
        level = [n for n in other.values() if n not in better and n not in worse]
        parts = [f"better than {listed(better)}"] if better else []
        parts += [f"worse than {listed(worse)}"] if worse else []
        parts += [f"neither better nor worse than {listed(level)}"] if level else []
        if parts:
            said.append(f"{judge} is shown {' and '.join(parts)}.")
    return " ".join(said)


def listed(names: Sequence[str]) -> str:
    """Join names; beyond `MOST_NAMES` the rest is counted.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    >>> listed(list("abcdefgh"))
    'a, b, c, d, e and 3 others'
    """
    shown = list(names[:MOST_NAMES])
    left = len(names) - len(shown)
    if left:
        return f"{', '.join(shown)} and {plural(left, 'other')}"
    return " and ".join(
        part for part in (", ".join(shown[:-1]), shown[-1] if shown else "") if part
    )
