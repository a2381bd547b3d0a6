"""Labels that are scores, by the primary teacher: one score for each response of an item.

They come from dialects of scores: each response judged alone, or several scored in one prompt,
which is then shown in both orders. A label's score is the mean over the judgments it rests on.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from judgesmith.errors import RecipeError
from judgesmith.evaluation.final_label import Policy
from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import SCORED_ALONE
from judgesmith.models.asking import About, judge_items
from judgesmith.models.judge import Shown
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Item, Judgment, Kind, Label, Scores, Split, keyed_rng
from judgesmith.runs.jsonl import PartialFile
from judgesmith.stages.labels.failures import failed_findings, status_table
from judgesmith.stages.labels.key import orders_of
from judgesmith.stages.labels.label_inputs import LabelInputs, TeacherLabels
from judgesmith.stages.labels.rehearsal import with_simulated
from judgesmith.stages.labels.teachers import Teachers

LEARNING = (Split.TRAIN, Split.DEV)


def gives_scores(dialect: Dialect, items: Iterable[Item]) -> bool:
    """Whether labels in a dialect are scores, and not verdicts on pairs.

    A dialect that scores each response of pairs alone, and is the only one, says which of a pair
    stands out.
    """
    if dialect.scale.choices is not None:
        return False
    return dialect.kind is not Kind.SINGLE or all(item.kind is not Kind.PAIR for item in items)


def require_primary_alone(config: Teachers, dialect: Dialect) -> None:
    """Refuse what cannot be carried out on scores: a panel, a dry run, a policy over several."""
    asked = [name for name in ("panel", "dry_run") if getattr(config, name)]
    if config.policy is not Policy.PRIMARY:
        asked.append("policy")
    if asked:
        raise RecipeError(
            f"labels.teachers.{asked[0]}: expected none in dialect {dialect.name!r}, whose "
            "verdicts are scores: a panel and a dry run compare verdicts on pairs. Leave it out, "
            "or label in a dialect of pairs (labels.dialect) and score beside it (labels.more)."
        )


def scored_by_teacher(
    config: Teachers, given: LabelInputs, partial: PartialFile, models: ModelOpener
) -> TeacherLabels:
    """The primary teacher's judgments of what a student learns from, and the mean scores."""
    learning = [item for item in given.items if item.split in LEARNING]
    shown = [
        Shown(item, order)
        for item in learning
        for order in _shown_orders(item, given.dialect, both=config.both_orders, seed=given.seed)
    ]
    about = About(shown, given.questions, given.responses, given.dialect, config.reply_tokens)
    judgments, usage = judge_items(
        about, (config.primary,), partial,
        with_simulated(config.simulated, given, models),
        stage=f"labels, scores in {given.dialect.name}",
    )  # fmt: skip
    if config.primary in config.simulated_names:
        source = f"simulated teacher {config.primary}"
        judgments = [one.model_copy(update={"source": source}) for one in judgments]
    labels, unlabelled = _labels(learning, judgments, config, given)
    return TeacherLabels(
        judgments=judgments,
        labels=labels,
        unlabelled=unlabelled,
        tables={f"judgments by status in {given.dialect.name}": status_table(judgments)},
        findings=failed_findings(judgments),
        usage=usage,
    )


def _shown_orders(
    item: Item, dialect: Dialect, *, both: bool, seed: int
) -> Sequence[tuple[int, ...]]:
    orders = orders_of(item, dialect)
    if both or dialect.kind is Kind.SINGLE or len(orders) < 2:
        return orders
    return [orders[keyed_rng(seed, "order", item.id).random() < 0.5]]


def _labels(
    items: Sequence[Item], judgments: Iterable[Judgment], config: Teachers, given: LabelInputs
) -> tuple[list[Label], dict[str, str]]:
    """Labels in item order, and why the others have none."""
    by_item: dict[str, list[Judgment]] = defaultdict(list)
    for judgment in judgments:
        by_item[judgment.item_id].append(judgment)
    labels: list[Label] = []
    unlabelled: dict[str, str] = {}
    for item in items:
        found = [one for one in by_item[item.id] if isinstance(one.verdict, Scores)]
        means = mean_scores(found, len(item.response_ids))
        if means is None:
            unlabelled[item.id] = "a score could not be read"
            continue
        labels.append(
            Label.make(
                source="simulated teachers" if config.simulated_names else "teachers",
                licence=item.licence,
                item_id=item.id,
                verdict=Scores(kind="scores", values=means, criteria=None),
                direction=given.dialect.direction,
                confidence=None,
                policy=f"{config.policy.value}, {_how(given)}",
                judgment_ids=tuple(one.id for one in found),
                annotator_kind=config.kind,
                annotator=config.primary,
            )
        )
    return labels, unlabelled


def _how(given: LabelInputs) -> str:
    """How scores were given, in words that differ between the dialects of one run."""
    if given.dialect.kind is not Kind.SINGLE:
        return f"scored in {given.dialect.name}"
    return f"in {given.dialect.name}, {SCORED_ALONE}" if given.further else SCORED_ALONE


def mean_scores(judgments: Iterable[Judgment], responses: int) -> tuple[float, ...] | None:
    """The mean score of each response in item order; None where one has none.

    A judgment of a response alone has one score, one of several has a score for each as shown.
    """
    found: Mapping[int, list[float]] = {position: [] for position in range(responses)}
    for one in judgments:
        if isinstance(one.verdict, Scores):
            for position, value in zip(one.order, one.verdict.values, strict=True):
                found[position].append(value)
    if not all(found.values()):
        return None
    return tuple(sum(values) / len(values) for values in found.values())
