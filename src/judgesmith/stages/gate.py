"""Results -> pass, fail or not enough evidence. Interval bounds are tested, never point values.

    in   evaluate/results.json
    out  gate/gate.json
    run  judgesmith run RECIPE, or judgesmith gate RUN

Each check is tested at one side of a 95% interval: a judge that lies exactly on the threshold
passes in about 2.5% of cases, measured 2.5 to 2.8% at 100 questions (`benchmarks/type_one.py`), and
one below it less often.

Exit codes of `judgesmith gate`: 0 pass, 1 fail, 2 error, 3 not enough evidence.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from judgesmith.errors import RunError
from judgesmith.metrics import Estimate, labels_for_lower_bound
from judgesmith.models.protocol import ModelOpener
from judgesmith.report.results import Check, Evaluation, GateResult, JudgeResult, Number
from judgesmith.runs.jsonl import write_json
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section

VERSION = 2
OUTPUTS = ("gate/gate.json",)
M = TypeVar("M", bound=BaseModel)
Outcome = Literal["pass", "fail", "inconclusive", "not applicable"]


class Config(Section):
    """What a judge must show.

    `kappa` is tested on the slice in domain (and shown out of domain), `consistency` on raw
    single-order verdicts, `domain_drop` on kappa out of domain minus in domain.
    """

    kappa: float = Field(0.6, ge=-1, le=1)
    consistency: float = Field(0.8, ge=0, le=1)
    coverage: float = Field(0.98, ge=0, le=1)
    domain_drop: float = Field(-0.10, ge=-2, le=2)


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("evaluate/results.json",)


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def above(name: str, found: Number | None, bound: float) -> Check:
    """Pass if the lower end reaches the bound, fail if the upper end is below it.

    >>> above("kappa", Number(value=.7, low=.62, high=.78, n=300), .6).outcome
    'pass'
    >>> above("kappa", Number(value=.7, low=.55, high=.85, n=100), .6).outcome
    'inconclusive'
    >>> above("kappa", Number(value=.5, low=.41, high=.59, n=300), .6).outcome
    'fail'
    """
    requirement = f"lower bound of {name} at least {bound:g}"
    if found is None:
        return Check(
            name=name, requirement=requirement, found=None, outcome="not applicable",
            reason="order-proof by construction", labels_needed=None,
        )  # fmt: skip
    outcome, reason = _decide(found, bound)
    needed = None
    if outcome == "inconclusive" and found.hidden is None:
        needed = _labels_needed(found, bound)
    return Check(
        name=name, requirement=requirement, found=found, outcome=outcome, reason=reason,
        labels_needed=needed,
    )  # fmt: skip


def _decide(found: Number, bound: float) -> tuple[Outcome, str]:
    if found.hidden is not None or found.undefined is not None:
        return "inconclusive", str(found.hidden or found.undefined)
    if found.low is None or found.high is None:
        return "inconclusive", "there is no interval to test"
    if found.low >= bound:
        return "pass", f"the lower bound {found.low:.3f} reaches {bound:g}"
    if found.high < bound:
        return "fail", f"even the upper bound {found.high:.3f} is below {bound:g}"
    return "inconclusive", f"the interval [{found.low:.3f}, {found.high:.3f}] holds {bound:g}"


def _labels_needed(found: Number, bound: float) -> int | None:
    """Labels in all that would bring the nearer end of the interval to the bound.

    >>> _labels_needed(Number(value=.58, low=.50, high=.66, n=300), .6)
    4800
    """
    if found.value is None or found.low is None or found.high is None:
        return None
    if found.value > bound:
        return labels_for_lower_bound(_estimate(found), bound)
    mirrored = Estimate(-found.value, -found.high, -found.low, n=found.n, clusters=found.clusters)
    return labels_for_lower_bound(mirrored, -bound)


def _estimate(found: Number) -> Estimate:
    return Estimate(
        found.value, found.low, found.high, n=found.n, clusters=found.clusters,
        undefined=found.undefined,
    )  # fmt: skip


def decide(results: Evaluation, judge: JudgeResult, config: Config) -> GateResult:
    """All checks on one judge; the worst outcome decides."""
    main = judge.slices["in_domain"]
    checks = [
        above("kappa in domain", main.kappa, config.kappa).model_copy(
            update={"slice": "in_domain", "kappa_floor": config.kappa}
        ),
        above("raw consistency", main.consistency, config.consistency),
        above("coverage", main.coverage, config.coverage),
    ]
    name = "kappa out of domain minus in domain"
    drop = above(name, results.domain_difference, config.domain_drop)
    if results.domain_difference is None:
        drop = drop.model_copy(update={"reason": "not measured: there are no out-of-domain items"})
    checks.append(drop)
    return GateResult(
        judge=judge.name,
        labels_title=results.labels_title,
        outcome=worst([check.outcome for check in checks]),
        checks=tuple(checks),
    )


def worst(outcomes: Sequence[Outcome]) -> Literal["pass", "fail", "inconclusive"]:
    """Fail before inconclusive before pass; what does not apply does not count.

    >>> worst(["pass", "inconclusive", "not applicable"])
    'inconclusive'
    """
    if "fail" in outcomes:
        return "fail"
    return "inconclusive" if "inconclusive" in outcomes else "pass"


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


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Test the student against the recipe's bounds."""
    results = read_results(run_dir)
    student = next(judge for judge in results.judges if judge.role == "student")
    gate = decide(results, student, config)
    write_json(run_dir.file(OUTPUTS[0]), gate.model_dump(mode="json"))
    return StageReport(taken=1, made=1, tables={"outcome": gate.outcome})
