"""Systems ranked by a judge: from their responses, or from what was judged before."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict

from judgesmith.errors import DataError
from judgesmith.inference.judge import Judge
from judgesmith.inference.rows.stream import judge_file
from judgesmith.inference.rows.writing import ROW_FORM
from judgesmith.metrics import Comparison, Ranked, rank_systems
from judgesmith.models.protocol import Mode
from judgesmith.records import TIE, Direction, content_id
from judgesmith.runs.jsonl import file_sha256, read_rows, validate_row, write_bytes, write_json
from judgesmith.sources.system_responses import pairs_of, read_system_responses

RANKING = "ranking.json"
SHARES = {"A": 1.0, "B": 0.0, TIE: 0.5}


class _JudgedPair(BaseModel):
    """What a ranking needs of a row that `judgesmith judge` wrote."""

    model_config = ConfigDict(extra="ignore")
    id: str | int
    models: tuple[str, str]
    question_key: str
    verdict: str | None
    names: Direction
    judge: str
    version: str
    mode: Mode
    status: str | None = None


class JudgedBy(NamedTuple):
    """Who judged: one judge asked in two modes, or in two versions, counts as two."""

    name: str
    version: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.name} ({self.mode}, version {self.version})"


class Meetings(NamedTuple):
    """The comparisons that judged rows hold: by whom, and how many rows had no verdict and why."""

    comparisons: tuple[Comparison, ...]
    judges: tuple[JudgedBy, ...]
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
    basis = content_id(ROW_FORM, file_sha256(path), judge.name, judge.version)
    judged = out / f"judged-{basis}.jsonl"
    if not judged.is_file():
        judge_file(judge, path, judged)
    return judged


def read_meetings(paths: Sequence[Path]) -> Meetings:
    """The comparisons of judged files, the winner's share first.

    Raises DataError, with file and line, for a row that names no systems, and for one that is given
    twice.
    """
    comparisons, seen, dropped = [], dict[Hashable, str](), Counter[str]()
    judges = dict[JudgedBy, None]()
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
            if row.models[0] == row.models[1]:
                raise DataError(
                    f"{where}: field 'models': expected two systems, found {row.models[0]!r} twice."
                )
            by = JudgedBy(row.judge, row.version, row.mode)
            first = seen.setdefault((by, row.id, row.models, row.question_key), where)
            if first != where:
                raise DataError(
                    f"{where}: field 'id': {row.judge!r} judged {row.id!r} before, in {first}. "
                    "Give every judged row once; rows of several files need an `id` of their own."
                )
            judges[by] = None
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
            "judges": [one._asdict() for one in met.judges],
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
    paths: Sequence[Path], out: Path, *, seed: int, resamples: int, rehearsed: bool | None = None
) -> tuple[Meetings, Ranked]:
    """Rank the systems of judged files, and write the ranking below `out`.

    `rehearsed` says whether the judge is a rehearsal's; None where judged rows alone are known.
    """
    met = read_meetings(paths)
    ranked = rank_systems(met.comparisons, seed=seed, resamples=resamples)
    settings = {"seed": seed, "resamples": resamples, "rehearsed": rehearsed}
    write_ranking(out / RANKING, met, ranked, settings)
    return met, ranked
