"""Systems ranked by a judge: from their responses, or from what was judged before."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.stream import judge_file
from judgesmith.metrics import Comparison, Ranked, rank_systems
from judgesmith.records import TIE, Direction, content_id
from judgesmith.runs.jsonl import file_sha256, read_rows, validate_row, write_bytes, write_json
from judgesmith.sources.system_responses import pairs_of, read_system_responses

RANKING = "ranking.json"
SHARES = {"A": 1.0, "B": 0.0, TIE: 0.5}


class _JudgedPair(BaseModel):
    """What a ranking needs of a row that `judgesmith judge` wrote."""

    model_config = ConfigDict(extra="ignore")
    models: tuple[str, str]
    question_key: str
    verdict: str | None
    names: Direction
    judge: str
    status: str | None = None


class Meetings(NamedTuple):
    """The comparisons that judged rows hold: by whom, and how many rows had no verdict and why."""

    comparisons: tuple[Comparison, ...]
    judges: tuple[str, ...]
    dropped: dict[str, int]


def judge_systems(judge: Judge, responses: Sequence[Path], out: Path, baseline: str | None) -> Path:
    """Judge systems' responses in pairs; the file of verdicts, below `out`.

    A call that was killed goes on, and one that was done is not repeated: the file's name follows
    from the pairs and the judge.
    """
    if judge.dialect.direction is None:
        raise DataError(
            f"{judge.name}: its verdicts name neither the better nor the worse response, so that "
            "nobody can win. Take a judge whose dialect has a direction."
        )
    found = read_system_responses(responses)
    pairs = b"".join(
        orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in pairs_of(found, baseline)
    )
    if not pairs:
        raise DataError(
            f"{', '.join(map(str, responses))}: no question was answered by two systems. The "
            "fields `question`, `context` and `choices` must be the same for both."
        )
    path = out / "pairs.jsonl"
    write_bytes(path, pairs)
    basis = content_id(file_sha256(path), judge.name, judge.version, judge.mode)
    judged = out / f"judged-{basis}.jsonl"
    if not judged.is_file():
        judge_file(judge, path, judged)
    return judged


def read_meetings(paths: Sequence[Path]) -> Meetings:
    """The comparisons of judged files, the winner's share first.

    Raises DataError for a row that names no systems, with file and line.
    """
    comparisons, judges, dropped = [], dict[str, None](), Counter[str]()
    for path in paths:
        for line, raw in read_rows(path):
            where = f"{path}:{line}"
            if "models" not in raw:
                raise DataError(
                    f"{where}: field 'models' is missing: expected a row that `judgesmith judge` "
                    "wrote of a pair with `model_a` and `model_b`. To rank responses, give "
                    "--judge RUN."
                )
            row = validate_row(raw, _JudgedPair, where=where)
            judges[row.judge] = None
            if row.verdict is None:
                dropped[row.status or "no verdict over both orders"] += 1
                continue
            if row.verdict not in SHARES:
                raise DataError(
                    f"{where}: field 'verdict': expected A, B or TIE, found {row.verdict!r}."
                )
            share = SHARES[row.verdict]
            won = share if row.names is Direction.BETTER else 1 - share
            comparisons.append(Comparison(*row.models, won, row.question_key))
    if not comparisons:
        raise DataError(
            f"{', '.join(map(str, paths))}: no row has a verdict ({sum(dropped.values())} rows)."
        )
    return Meetings(tuple(comparisons), tuple(judges), dict(dropped))


def write_ranking(path: Path, met: Meetings, ranked: Ranked, settings: dict[str, Any]) -> None:
    """Write the ranking as JSON: systems, every pair of them, and what it rests on."""
    write_json(
        path,
        {
            "judges": met.judges,
            "labels": "none: a win is what the judge says",
            "questions": len({one.cluster for one in met.comparisons}),
            "comparisons": len(met.comparisons),
            "dropped": met.dropped,
            **settings,
            "unlinked": ranked.unlinked,
            "systems": [asdict(one) for one in ranked.standings],
            "pairs": [asdict(one) for one in ranked.duels],
        },
    )


def rank_files(
    paths: Sequence[Path], out: Path, *, seed: int, resamples: int
) -> tuple[Meetings, Ranked]:
    """Rank the systems of judged files, and write the ranking below `out`."""
    met = read_meetings(paths)
    ranked = rank_systems(met.comparisons, seed=seed, resamples=resamples)
    write_ranking(out / RANKING, met, ranked, {"seed": seed, "resamples": resamples})
    return met, ranked
