"""`rank`: systems by what a judge says of them."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from judgesmith.cli import show
from judgesmith.cli.opening import open_told, tell_gated
from judgesmith.errors import RecipeError
from judgesmith.metrics import Duel, Estimate, Ranked
from judgesmith.pipeline.judges import is_rehearsed
from judgesmith.pipeline.ranking import RANKING, Meetings, judge_systems, rank_files
from judgesmith.report.numbers import p_value

LEVEL = 0.05


class RankOptions(NamedTuple):
    """The judge, if responses are to be judged; the baseline, if not all pairs; seed, resamples."""

    judge: Path | None
    baseline: str | None
    out: Path
    seed: int
    resamples: int


def rank_command(files: Sequence[Path], options: RankOptions) -> None:
    """Judge where a judge is given, rank, print and write."""
    judge, judged, rehearsed = None, list(files), None
    if options.judge is not None:
        judge, rehearsed = open_told(options.judge), is_rehearsed(options.judge)
        judged = [judge_systems(judge, files, options.out, options.baseline)]
    elif options.baseline is not None:
        raise RecipeError(
            "--baseline: expected --judge beside it. Of files that are judged already every "
            "comparison counts."
        )
    met, ranked = rank_files(
        judged, options.out, seed=options.seed, resamples=options.resamples, rehearsed=rehearsed
    )
    _show(met, ranked)
    if options.judge is not None and judge is not None:
        tell_gated(options.judge, judge)
    show.line(f"Ranking: {options.out / RANKING}")


def _show(met: Meetings, ranked: Ranked) -> None:
    questions = len({one.cluster for one in met.comparisons})
    lost = sum(met.dropped.values())
    why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(met.dropped.items()))
    judges = ", ".join(map(str, met.judges))
    show.line(
        f"{len(met.comparisons):,} comparisons on {questions:,} questions, judged by {judges}; "
        f"{lost:,} without a verdict{f' ({why})' if why else ''}. A win is what the judge says, "
        "not what people say."
    )
    rows = [
        (one.name, f"{one.comparisons:,}", _cell(one.win_rate), _cell(one.strength), test)
        for one, test in zip(ranked.standings, _tests(ranked), strict=True)
    ]
    heads = ["system", "comparisons", "win rate", "Bradley-Terry", "against the next"]
    show.table("Systems, the strongest first; 95% intervals over questions", heads, rows)
    if ranked.unlinked is not None:
        show.line(f"No Bradley-Terry strengths: {ranked.unlinked}.")
    for reason in dict.fromkeys(one.strength.no_interval for one in ranked.standings):
        if reason is not None:
            show.line(f"A strength without an interval: {reason}.")
    show.line(
        "Win rate: wins and half of the ties. Bradley-Terry: log-odds, mean zero. Tests: signs "
        "over questions, exact, Holm over all pairs of systems."
    )


def _tests(ranked: Ranked) -> list[str]:
    """What the test of each system against the one below it says; nothing for the last."""
    duels = [ranked.duel(a.name, b.name) for a, b in pairwise(ranked.standings)]
    return [*map(_test, duels), ""]


def _test(duel: Duel) -> str:
    shown = duel.p_holm < LEVEL
    word = "no difference shown" if not shown else "better" if duel.gained > duel.lost else "worse"
    return f"{word}: {duel.gained}/{duel.lost}, p {p_value(duel.p_holm)}"


def _cell(found: Estimate) -> str:
    if found.value is None:
        return "-"
    ends = "" if found.low is None else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.2f}{ends}"
