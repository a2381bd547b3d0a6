"""Results -> pass, fail or not enough evidence. Interval bounds are tested, never point values.

    in   evaluate/results.json
    out  gate/gate.json
    run  judgesmith run RECIPE, or judgesmith gate RUN

Each check is tested at one side of a 95% interval: a judge that lies exactly on the threshold
passes in about 2.5% of cases, measured 2.5 to 2.8% at 100 questions (`benchmarks/type_one.py`), and
one below it less often.

Exit codes of `judgesmith gate`: 0 pass, 1 fail, 2 error, 3 not enough evidence.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from judgesmith.errors import RunError
from judgesmith.evaluation.checks import ORDER_PROOF, Outcome, above, waiting, worst
from judgesmith.models.protocol import ModelOpener
from judgesmith.report.results import Check, Evaluation, GateResult, JudgeResult
from judgesmith.report.score_results import ScoreResult
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section

VERSION = 4
OUTPUTS = ("gate/gate.json",)
MAIN = "in_domain"
__all__ = [
    "OUTPUTS", "VERSION", "Config", "Outcome", "above", "decide", "deciding_judge", "inputs",
    "outside", "read_gate", "read_results", "run", "worst",
]  # fmt: skip

M = TypeVar("M", bound=BaseModel)
Correlation = Literal["pearson", "spearman"]

Test = Callable[..., Check]

GIVES_SCORES = "the judge gives scores, not verdicts"
NO_OUTSIDE = "not measured: there are no out-of-domain items"
NO_SCORES = "no scores of this judge were measured"
NO_BOUND = "a judge that gives scores needs gate.correlation or gate.exact to be decided on"
CHANCE_CORRECTED = ("kappa", "weighted kappa")


class Config(Section):
    """What a judge must show.

    `kappa` is tested on the slice in domain (and shown out of domain), `consistency` on raw
    single-order verdicts, `domain_drop` on kappa out of domain minus in domain, `coverage` in every
    dialect that the judge was measured in. Of scores, `correlation` (Pearson's or Spearman's, see
    `correlation_of`) and `exact` agreement are tested where they are set. `kept` is the share of
    each specialist's chance-corrected agreement that a merged judge keeps, and then it must also
    be above the constant rule. With `labels: person` only labels by people decide agreement.
    """

    kappa: float = Field(0.6, ge=-1, le=1)
    consistency: float = Field(0.8, ge=0, le=1)
    coverage: float = Field(0.98, ge=0, le=1)
    domain_drop: float = Field(-0.10, ge=-2, le=2)
    correlation: float | None = Field(None, ge=-1, le=1)
    correlation_of: Correlation = "pearson"
    exact: float | None = Field(None, ge=0, le=1)
    kept: float | None = Field(None, gt=0, le=1)
    labels: Literal["person"] | None = None


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("evaluate/results.json",)


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def decide(results: Evaluation, judge: JudgeResult | ScoreResult, config: Config) -> GateResult:
    """All checks on one judge; the worst outcome decides."""
    deciding = _deciding(results, judge.name, config)
    on = results if deciding is None else deciding
    test = waiting if deciding is None else above
    checks = [
        _agreement(on, judge.name, config, test),
        *_scores(on, judge.name, config, test),
        *_order_and_coverage(on, judge.name, config),
        _domain_drop(on, config),
        *_kept(results, config),
    ]
    return GateResult(
        judge=judge.name,
        labels_title=on.labels_title,
        outcome=worst([check.outcome for check in checks]),
        checks=tuple(checks),
    )


def _deciding(results: Evaluation, name: str, config: Config) -> Evaluation | None:
    """The evaluation whose labels decide; None where people were asked for and did not label."""
    if config.labels is None:
        return results
    by_people = [one for one in (results, *results.also) if one.labels_kind == "people"]
    return next((one for one in by_people if _slices_of(one, name)), None)


def _slices_of(on: Evaluation, name: str) -> JudgeResult | ScoreResult | None:
    everyone: tuple[JudgeResult | ScoreResult, ...] = (*on.judges, *on.scored)
    return next((one for one in everyone if one.name == name), None)


def _agreement(on: Evaluation, name: str, config: Config, test: Test) -> Check:
    """Kappa of verdicts; not applicable to scores, which then need a bound of their own."""
    judge = next((one for one in on.judges if one.name == name), None)
    found = None if judge is None else judge.slices[MAIN].kappa
    check = test("kappa in domain", found, config.kappa, absent=GIVES_SCORES)
    if judge is None and config.correlation is None and config.exact is None:
        return check.model_copy(update={"outcome": "inconclusive", "reason": NO_BOUND})
    if judge is None:
        return check
    return check.model_copy(update={"slice": MAIN, "kappa_floor": config.kappa})


def _scores(on: Evaluation, name: str, config: Config, test: Test) -> list[Check]:
    """Correlation and exact agreement, in the first dialect of scores that the judge is in."""
    asked = {config.correlation_of: config.correlation, "exact": config.exact}
    found = next(
        (
            (one, judge.slices[MAIN])
            for one in (on, *on.also)
            if one.labels_kind == on.labels_kind or config.labels is None
            for judge in one.scored
            if judge.name == name
        ),
        None,
    )
    checks = []
    for metric, bound in asked.items():
        if bound is not None:
            number = None if found is None else getattr(found[1], metric)
            where = f", {found[0].dialect}" if found is not None and found[0] is not on else ""
            words = "exact agreement" if metric == "exact" else metric
            check = test(f"{words} in domain{where}", number, bound, absent=NO_SCORES)
            checks.append(check if number is not None else _open(check))
    return checks


def _order_and_coverage(on: Evaluation, name: str, config: Config) -> list[Check]:
    judge = _slices_of(on, name)
    main = None if judge is None else judge.slices[MAIN]
    consistency = getattr(main, "consistency", None)
    absent = GIVES_SCORES if isinstance(judge, ScoreResult) else ORDER_PROOF
    checks = [above("raw consistency", consistency, config.consistency, absent=absent)]
    seen: set[str] = set()
    for one in (on, *on.also):
        found = _slices_of(one, name)
        if found is not None and one.dialect not in seen:
            words = "coverage" if one is on else f"coverage, {one.dialect}"
            checks.append(above(words, found.slices[MAIN].coverage, config.coverage))
            seen.add(one.dialect)
    return checks


def _domain_drop(on: Evaluation, config: Config) -> Check:
    name = "kappa out of domain minus in domain"
    absent = NO_OUTSIDE if on.form == "pairs" else GIVES_SCORES
    return above(name, on.domain_difference, config.domain_drop, absent=absent)


def _kept(results: Evaluation, config: Config) -> list[Check]:
    """What a merged judge keeps of each specialist, where the recipe bounds it."""
    if config.kept is None:
        return []
    checks = []
    for row in results.kept:
        if row.metric in CHANCE_CORRECTED:
            of = f"{row.metric} of {row.specialist_name} kept by {row.merged_name}, {row.dialect}"
            checks.append(above(f"share of {of}", row.share, config.kept))
            name = f"{row.metric} of {row.merged_name} above constant, {row.dialect}"
            checks.append(_above_zero(above(name, row.above_constant, 0.0)))
    if checks:
        return checks
    nothing = "share of a specialist's agreement kept"
    absent = "no merged judge and specialist were measured (evaluate.merge)"
    return [_open(above(nothing, None, config.kept, absent=absent))]


def _above_zero(check: Check) -> Check:
    """A judge that is no better than a constant has exactly 0, which is not above it."""
    if check.outcome == "pass" and check.found is not None and check.found.low == 0:
        reason = "the lower bound is 0, as that of a constant"
        return check.model_copy(update={"outcome": "inconclusive", "reason": reason})
    return check


def _open(check: Check) -> Check:
    """A bound that the recipe sets and nothing was measured for: not passed by silence."""
    return check.model_copy(update={"outcome": "inconclusive"})


def read_results(run_dir: RunDir) -> Evaluation:
    """The results of the run's evaluation."""
    path = run_dir.file("evaluate/results.json")
    if not path.exists():
        raise RunError(f"{path}: not there yet. Run the recipe up to --until evaluate first.")
    return _parse(path, Evaluation)


def read_gate(run_dir: RunDir) -> GateResult | None:
    """The gate's verdict, where the run has one."""
    path = run_dir.file(OUTPUTS[0])
    return _parse(path, GateResult) if path.exists() else None


def _parse(path: Path, model: type[M]) -> M:
    try:
        return model.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise RunError(
            f"{path}: expected {model.__name__} as this version of judgesmith writes it; field "
            f"{field!r}: {first['msg']}. Run the recipe again, which makes the file anew."
        ) from None


def deciding_judge(results: Evaluation) -> JudgeResult | ScoreResult:
    """The judge that the gate decides on: the student of the main dialect."""
    everyone: tuple[JudgeResult | ScoreResult, ...] = (*results.judges, *results.scored)
    return next(judge for judge in everyone if judge.role == "student")


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Test the student against the recipe's bounds."""
    results = read_results(run_dir)
    gate = decide(results, deciding_judge(results), config)
    write_json(run_dir.file(OUTPUTS[0]), gate.model_dump(mode="json"))
    return StageReport(taken=1, made=1, tables={"outcome": gate.outcome})
