"""Everything a measurement holds beyond agreement, and why the rest is not there."""

from collections.abc import Callable, Iterator

from judgesmith.evaluation.browser import browser_rows
from judgesmith.evaluation.foreign import LONGER, passes
from judgesmith.evaluation.judge_evidence import FEWEST_CONFIDENT, judge_evidence
from judgesmith.evaluation.measure import Measured, evaluation_of
from judgesmith.evaluation.panel import LEAST_SHARED, alternative, panel
from judgesmith.evaluation.scores import score_comparisons, score_rows
from judgesmith.evaluation.together import fidelity, people_agreement, people_alpha, repeats_alpha
from judgesmith.report.evidence import Evidence
from judgesmith.report.results import Evaluation
from judgesmith.sources.imported import ImportedRow

NO_JUDGMENTS = (
    "there are labels but no judgments in the files. Give the file of judgments too, or name its "
    "column in the mapping (a `votes` entry of role judge)"
)

MOST_SHOWN = 300
"""Items in the disagreement browser: enough to find a pattern, few enough for a phone."""


def measure(
    measured: Measured, read: Callable[[], Iterator[ImportedRow]], notes: tuple[str, ...] = ()
) -> tuple[Evaluation, Evidence]:
    """Results and evidence of one measurement; `read` reads the same rows again for their texts."""
    evaluation = evaluation_of(measured)
    if measured.labels.numeric:
        evaluation = evaluation.model_copy(update={"comparisons": score_comparisons(measured)})
    evidence = Evidence(
        judges=tuple(
            judge_evidence(measured, judge).model_copy(
                update={"repeats": repeats_alpha(measured, judge.name)}
            )
            for judge in measured.judges
        ),
        people=people_agreement(measured),
        people_alpha=people_alpha(measured),
        panel=None if measured.labels.numeric else panel(measured),
        alternative=alternative(measured),
        fidelity=fidelity(measured),
        browser=browser_rows(measured, read(), most=MOST_SHOWN) if measured.rows else (),
        browser_of=len(measured.rows),
        not_measured={},
        notes=(*notes, *_dropped(measured), *_unscored(measured), *_unlabelled(measured)),
    )
    compared = any(one.b != LONGER for one in evaluation.comparisons)
    missing = _missing(measured, evidence, compared=compared)
    return evaluation, evidence.model_copy(update={"not_measured": missing})


def _dropped(measured: Measured) -> tuple[str, ...]:
    return tuple(
        f"{count:,} labelled items have no label in the end: {reason}."
        for reason, count in measured.labels.dropped.items()
    )


def _unlabelled(measured: Measured) -> Iterator[str]:
    """What was judged and nobody labelled, and judges that met no label at all."""
    found, labels = measured.found, measured.labels
    if labels.kind == "nobody":
        return
    names = [name for name in measured.subject.judges or found.judges() if name not in labels.by]
    judged: set[int] = set()
    for name in names:
        own = {i for key in found.passes_of(name) for i in found.votes[key].positions()}
        judged |= own
        if own.isdisjoint(labels.scores or labels.verdicts):
            yield (
                f"{name} judged none of the labelled items, so it is in no table; its first item "
                f"is {found.names[min(own)][0]!r}. Are its ids written as the labels' are?"
            )
    left = len(judged.difference(labels.scores or labels.verdicts))
    if left:
        yield f"{left:,} judged items have no label; they are in no number that needs one."


def _unscored(measured: Measured) -> Iterator[str]:
    """Which judges left labelled items without a score: correlations rest on the others."""
    for judge in measured.judges if measured.labels.numeric else ():
        votes = passes(measured.found, judge.name).stored
        seen = sum(votes is not None and votes.has(i) for i in measured.labels.scores)
        scored = sum(len(rows.positions) for rows in score_rows(measured, judge.name))
        if scored < seen:
            yield (
                f"{judge.name} scored {scored:,} of the {seen:,} labelled items that it judged "
                f"({scored / seen:.1%}); correlations and differences rest on those alone."
            )


def _missing(measured: Measured, evidence: Evidence, *, compared: bool) -> dict[str, str]:
    """What could not be measured, and what the data would have to hold."""
    found = {}
    pairs, numeric = measured.subject.pairs, measured.labels.numeric
    judges = evidence.judges
    if not judges:
        return {"judges": NO_JUDGMENTS}
    if measured.labels.kind == "nobody":
        found["agreement"] = "nobody labelled the items; add labels, or name a judge (--labels)"
    if pairs and not any(one.flips for one in judges):
        proof = all(judge.order_proof for judge in measured.judges)
        found["order effects"] = (
            "every judge is order-proof by construction"
            if proof else "every judge judged in one order only; judge in both orders"
        )  # fmt: skip
    if pairs and not any(one.longer_wins for one in judges):
        found["length"] = "the texts of the responses are not in the files"
    if not numeric and measured.labels.verdicts and not any(one.calibration for one in judges):
        found["calibration"] = (
            f"fewer than {FEWEST_CONFIDENT} verdicts carry a probability or a confidence"
        )
    if not any(one.repeats for one in judges):
        found["repeatability"] = "no judge judged an item twice in one order"
    if not any(one.score_and_pair for one in judges) and pairs:
        found["scores against verdicts"] = "no judge gives both scores and verdicts"
    if not evidence.people:
        found["human ceiling"] = (
            "the labels are simulated, and what no person said is no ceiling of people's agreement"
            if measured.found.keys("simulated") and not measured.found.keys("person")
            else "fewer than two named people labelled the same items"
        )
    if evidence.panel is None and not numeric:
        found["panel"] = f"fewer than two judges share {LEAST_SHARED} labelled items"
    if len(measured.judges) > 1 and not compared:
        found["paired comparison"] = (
            "no two judges gave scores on the labels' scale for the same items"
            if numeric else "no two judges judged the same labelled items"
        )  # fmt: skip
    if evidence.fidelity is None:
        found["teacher and student"] = "the data name no teacher and student"
    return found
