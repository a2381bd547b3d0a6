"""Meta-evaluations of foreign judges, made up: many judges, every state, every part."""

import json
import math
from pathlib import Path

import pytest

from judgesmith.report.document import Document
from judgesmith.report.evidence import (
    BrowserRow,
    Calibration,
    CalibrationBin,
    Evidence,
    Flips,
    JudgeEvidence,
    Panel,
    PanelMember,
    RiskCoverage,
    ScoreAgreement,
)
from judgesmith.report.results import (
    Comparison,
    Evaluation,
    JudgeResult,
    Number,
    SliceInfo,
    SliceResult,
)

PARTS = json.loads(Path(__file__).with_name("parts.json").read_text("utf-8"))
"""What needs no arithmetic: people, probes, findings and the like."""

LABELS = "labels: majority of 3 people"
FEW = Number(value=0.777, low=0.1, high=0.9, n=9, hidden="only 9 labels, fewer than 20")
ONE_LABEL = Number(value=None, n=40, clusters=40, undefined="every label is 'A'")
HOSTILE = (
    "</script><script>window.hacked=1</script><!-- <img src=x onerror=window.hacked=2> "
    "\u2028\u2029\x00\u202e]]> {{ 7*7 }} & 'quoted' \"twice\" </ScRiPt >"
)
JUDGES: tuple[tuple[str, str, float], ...] = tuple(map(tuple, PARTS["judges"]))
RIVALS = [name for name, role, _ in JUDGES if role != "baseline"]


def number(value: float, half: float, n: int, clusters: int | None = None) -> Number:
    return Number(value=value, low=value - half, high=value + half, n=n, clusters=clusters)


def share(value: float, n: int) -> Number:
    half = 1.96 * math.sqrt(max(value * (1 - value), 0.01) / n)
    return Number(value=value, low=max(0.0, value - half), high=min(1.0, value + half), n=n)


def slice_result(kappa: Number, *, proof: bool, parsed: float, n: int) -> SliceResult:
    value = kappa.value or 0.0
    return SliceResult(
        kappa=kappa,
        accuracy=kappa if kappa.hidden else share(0.4 + 0.5 * abs(value), n),
        kappa_stored_order=None if proof else number(value - 0.02, 0.06, n),
        kappa_swapped_order=None if proof else number(value - 0.03, 0.06, n),
        accuracy_stored_order=None if proof else share(0.71, n),
        accuracy_swapped_order=None if proof else share(0.69, n),
        coverage=share(parsed, n),
        if_unparsed={
            "worst": number(value - 0.1, 0.06, n),
            "best": number(value + 0.02, 0.06, n),
            "counted as wrong": number(value - 0.03, 0.06, n),
        },
        consistency=None if proof else share(0.8, n),
        position_bias=None if proof else number(0.15 - value / 3, 0.05, n),
        verbosity=number(0.1, 0.05, n),
        confusion=None,
    )


CELLS = {
    "bucket": {"chat": 400, "reasoning and mathematics": 310, "safety": 25},
    "category": {f"category {i:02d} of the long list of subjects": 60 - 4 * i for i in range(13)},
}


def slice_infos() -> tuple[SliceInfo, ...]:
    found = [SliceInfo.model_validate(one) for one in PARTS["domains"]]
    for kind, values in CELLS.items():
        for value, n in values.items():
            counts = {"A": n, "B": 0}
            found.append(
                SliceInfo(
                    name=f"{kind}:{value}",
                    kind=kind,
                    title=value,
                    n=n,
                    questions=n,
                    label_counts=counts,
                )
            )
    return tuple(found)


def judge_results() -> tuple[JudgeResult, ...]:
    found = []
    for place, (name, role, kappa) in enumerate(JUDGES):
        proof = role == "baseline"
        parsed = 1.0 if place % 3 else 0.93
        slices = {}
        for info in slice_infos():
            shift = 0.05 * math.sin(place + len(info.name))
            shown = number(kappa - shift, 0.9 / math.sqrt(info.n), info.n, info.questions)
            if name.startswith("tiny") or info.n < 20:
                shown = FEW
            elif info.name == "bucket:safety":
                shown = ONE_LABEL
            slices[info.name] = slice_result(shown, proof=proof, parsed=parsed, n=info.n)
        if place == 9:
            del slices["hard"]
        found.append(JudgeResult(name=name, role=role, order_proof=proof, note="", slices=slices))
    return tuple(found)


def comparison(a: str, b: str, gained: int, lost: int, conclusion: str, **more: str) -> Comparison:
    return Comparison(
        a=a,
        b=b,
        slice=more.get("slice", "all"),
        difference=number((gained - lost) / 300, 0.06, 300, 80),
        gained=gained,
        lost=lost,
        p=0.0001 if conclusion != "no difference shown" else 0.26,
        p_holm=0.0021 if conclusion != "no difference shown" else 1.0,
        conclusion=conclusion,
        metric=more.get("metric", "kappa"),
    )


def comparisons() -> tuple[Comparison, ...]:
    found = []
    for i, (a, _, first) in enumerate(JUDGES):
        for b, role, second in JUDGES[i + 1 :]:
            gap = first - second
            said = "no difference shown"
            if abs(gap) > 0.08 or role == "baseline":
                said = "a is better" if gap > 0 else "b is better"
            found.append(comparison(a, b, 60 + int(gap * 80), 60 - int(gap * 80), said))
    return tuple(found)


def flips(place: int) -> Flips:
    few = place == 12
    return Flips.model_validate(
        PARTS["flips"]["few" if few else "odd" if place % 2 else "repeated"]
    )


def calibration(place: int) -> Calibration:
    bins = []
    for i in range(10):
        n = 0 if i == 0 else 3 if i == 2 else 20 * i * i
        middle = 0.05 + i / 10
        right = FEW if n < 20 else share(min(0.99, 0.3 + 0.06 * i + 0.01 * (place % 5)), n)
        bins.append(
            CalibrationBin(low=i / 10, high=(i + 1) / 10, n=n, confidence=middle, right=right)
        )
    return Calibration(
        brier=number(0.19, 0.02, 760),
        ece=number(0.08, 0.02, 760),
        binning="10 bins of equal width",
        bins=tuple(bins),
    )


def risk(place: int) -> RiskCoverage:
    top = 0.15 + 0.02 * place
    points = tuple((i / 50, top * (i / 50) ** (1 + place / 10)) for i in range(1, 51))
    return RiskCoverage(area=number(top / 2, 0.02, 760), points=points)


def score_rows(place: int) -> tuple[ScoreAgreement, ...]:
    return tuple(
        ScoreAgreement(
            criterion=criterion,
            n=240,
            pearson=number(0.5 - 0.01 * place, 0.1, 240),
            spearman=ONE_LABEL if place == 3 else number(0.48 - 0.01 * place, 0.1, 240),
            kendall=number(0.4, 0.1, 240),
            exact=share(0.35, 240),
            mean_error=number(0.61, 0.1, 240),
            weighted_kappa=None if place % 2 else number(0.41, 0.1, 240),
            alpha=None if place % 2 else number(0.39, 0.1, 240),
        )
        for criterion in ("coherence", "factual consistency", "fluency")
    )


def judge_evidence(place: int, name: str, role: str, *, scores: bool) -> JudgeEvidence:
    proof = role == "baseline"
    sure = not proof and place != 9
    return JudgeEvidence(
        judge=name,
        ac1=None if place == 9 else number(0.6, 0.05, 760, 80),
        alpha=ONE_LABEL if place == 3 else number(0.55, 0.05, 760, 80),
        accuracy_by_ties={way: share(0.7, 760) for way in ("wrong", "half", "dropped")},
        flips=None if proof else flips(place),
        longer_wins=share(0.61, 500),
        length_controlled=number(0.5, 0.06, 500),
        styles={"lists": number(0.05, 0.04, 300), "bold": FEW} if place % 2 else {},
        calibration=calibration(place) if sure else None,
        risk_coverage=risk(place) if sure else None,
        scores=score_rows(place) if scores else (),
        score_and_pair=PARTS["score_and_pair"] if place in (1, 2) else None,
        transitivity=PARTS["transitivity"] if place == 1 else (),
        repeats={"all items": number(0.91, 0.02, 640)} if place == 1 else {},
    )


def panel() -> Panel:
    size = len(RIVALS)
    kappas = tuple(
        tuple(
            number(1.0 if i == j else 0.1 + 0.06 * ((i * j) % 11), 0.05, 760, 80)
            if 12 not in (i, j)
            else FEW
            for j in range(size)
        )
        for i in range(size)
    )
    errors = tuple(
        tuple(
            None if 9 in (i, j) else 1.0 if i == j else 0.4 - 0.07 * ((i + j) % 9)
            for j in range(size)
        )
        for i in range(size)
    )
    return Panel(
        members=tuple(
            PanelMember(
                judge=name,
                without=None if i == 12 else number(0.01 * (i % 4) - 0.01, 0.02, 760, 80),
                worker_accuracy=None if i == 12 else 0.8 - 0.02 * i,
            )
            for i, name in enumerate(RIVALS)
        ),
        kappas={"all items": kappas, "chat": kappas, "safety": kappas},
        errors=errors,
        effective_votes=number(3.4, 0.6, 760, 80),
        majority=number(0.69, 0.05, 760, 80),
        dawid_skene=number(0.72, 0.05, 760, 80),
    )


def browser_rows(count: int) -> tuple[BrowserRow, ...]:
    rows = []
    for i in range(count):
        verdicts: dict[str, str | None] = {
            name: "AB"[(i + place) % 2] for place, name in enumerate(RIVALS[:6])
        }
        if i % 5 == 0:
            verdicts = dict.fromkeys(verdicts, "A")
        if i % 7 == 0:
            verdicts[RIVALS[1]] = None
        if i % 3 == 0:
            del verdicts[RIVALS[2]]
        hostile = HOSTILE if i == 0 else f"Unique{i:04d}."
        rows.append(
            BrowserRow(
                item_id=f"item{i:04d}",
                where=f"pairs.jsonl:{i + 1}",
                question=f"What is the capital of country {i}? {hostile}",
                responses=(f"It is city {i}. {hostile}", "I do not know, " + "and so on, " * 40),
                models=("model-one", "model-two") if i % 2 else (),
                fields={
                    "bucket": HOSTILE if i == 0 else ("chat", "safety")[i % 2],
                    "category": f"category {i % 13:02d}",
                    "__proto__": "odd name",
                },
                label="A",
                verdicts=verdicts,
                rationales={RIVALS[1]: f"Response A is wrong {hostile}"} if i % 2 == 0 else {},
            )
        )
    return tuple(rows)


def evidence(*, scores: bool = False) -> Evidence:
    names = ("people", "alternative", "fidelity", "not_measured", "notes", "people_alpha")
    return Evidence(
        judges=tuple(
            judge_evidence(place, name, role, scores=scores)
            for place, (name, role, _) in enumerate(JUDGES)
        ),
        panel=panel(),
        browser=browser_rows(63),
        browser_of=1_234_567,
        **{name: PARTS[name] for name in names},
    )


def build_files(**more: object) -> Document:
    given: dict[str, object] = {
        "name": "Fifteen judges on three public sets",
        "description": "Judgments from 15 files against labels by people.",
        "task": "pairs",
        "rehearsed": False,
        "stages": (),
        "gate": None,
        "evaluation": Evaluation(
            labels_kind="people",
            labels_title=LABELS,
            direction="a verdict names the better response",
            confidence=0.95,
            resamples=2000,
            test_looks=None,
            slices=slice_infos(),
            judges=judge_results(),
            comparisons=comparisons(),
            domain_difference=None,
            published=(),
            examples=(),
        ),
        "curve": (),
        "findings": PARTS["findings"],
        "supply": (),
        "confounds": None,
        "leaks": None,
        "composition": {},
        "why": {},
        "provenance": {"judgesmith": "0.1.0", "sha256 of pairs.jsonl": "3f9a0c11"},
        "subject": "files",
        "evidence": evidence(),
    }
    return Document.model_validate({**given, **more})


def build_scores() -> Document:
    """Judges that score single responses: there is no kappa, no order, no pair."""
    full = build_files()
    assert full.evaluation is not None
    undefined = Number(value=None, n=240, undefined="labels are scores on no closed scale")
    bare = dict.fromkeys(SliceResult.model_fields) | {
        "kappa": undefined,
        "accuracy": undefined,
        "coverage": share(1.0, 240),
        "if_unparsed": {},
    }
    judges = tuple(
        judge.model_copy(update={"slices": {"all": SliceResult.model_validate(bare)}})
        for judge in full.evaluation.judges[:4]
    )
    pair = comparison(RIVALS[0], RIVALS[1], 40, 44, "no difference shown", metric="spearman")
    found = evidence(scores=True)
    kept = tuple(
        one.model_copy(
            update={
                "flips": None,
                "ac1": None,
                "alpha": None,
                "accuracy_by_ties": {},
                "repeats": {},
            }
        )
        for one in found.judges[:4]
    )
    return build_files(
        name="Four scorers",
        evaluation=full.evaluation.model_copy(
            update={"judges": judges, "comparisons": (pair,), "slices": full.evaluation.slices[:1]}
        ),
        evidence=found.model_copy(
            update={"judges": kept, "panel": None, "alternative": (), "fidelity": None}
        ),
    )


@pytest.fixture(scope="session")
def files_document() -> Document:
    return build_files()


@pytest.fixture(scope="session")
def scores_document() -> Document:
    return build_scores()


@pytest.fixture(scope="session")
def bare_document() -> Document:
    """Files that allowed no number at all."""
    return build_files(evaluation=None, evidence=None, findings=(), provenance={})


@pytest.fixture(scope="session")
def hostile_row() -> str:
    return HOSTILE
