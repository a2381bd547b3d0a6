"""What is checked between stages: that what is made so far is enough for what costs most."""

from collections import Counter
from collections.abc import Collection

from judgesmith.errors import DataError, RecipeError
from judgesmith.pipeline.recipe_checks import never_passes, unbounded
from judgesmith.records import Item, Question, Split, index_by_id
from judgesmith.runs.layout import RunDir
from judgesmith.runs.recipe import Recipe
from judgesmith.stages import evaluate, gate
from judgesmith.stages.evaluate.labelled_side import read_labelled_side
from judgesmith.tasks import load_dialect, task_of

LEARN = ("rows", "sft")
TRAIN = ("sft", "dpo")


def check_before(stage: str, recipe: Recipe, run_dir: RunDir, *, until: str | None) -> None:
    """Refuse to begin a stage whose work could not be used by those that follow up to `until`.

    After the split there must be something to learn from; before a training there must be labels
    to measure against, and bounds that can be passed.

    Raises:
        DataError: no item is on the training side, or no test item has a label of the kind wanted.
        RecipeError: the gate has no bound for what will be measured.
    """
    names = list(recipe.sections)
    planned = names if until is None else names[: names.index(until) + 1]
    before = names[names.index(stage) - 1] if names.index(stage) else None
    if before == "split" and set(LEARN) & set(planned):
        _require_training_items(run_dir)
    if stage == next((name for name in TRAIN if name in names), None) and "labels" in names:
        _require_labels(recipe, run_dir, planned)


def _require_training_items(run_dir: RunDir) -> None:
    items = run_dir.read("split/items.jsonl", Item)
    sides = Counter(item.split.value for item in items if item.split is not None)
    if sides[Split.TRAIN.value]:
        return
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    asked = {item.question_id for item in items}
    templates = {questions[name].template_id for name in asked}
    told = ", ".join(f"{side}: {count}" for side, count in sorted(sides.items())) or "no items"
    raise DataError(
        f"split: no item is left to train on ({told}), and the recipe has rows to learn. The items "
        f"are of {len(asked)} question(s) and {len(templates)} template(s), and what shares one "
        "stays on one side. Split by question (split.level: question), lower split.test_share or "
        "split.dev_share, or bring items that stand apart."
    )


def _require_labels(recipe: Recipe, run_dir: RunDir, planned: Collection[str]) -> None:
    """Read what the main part will be measured against, as the evaluate stage does."""
    measuring, bounds = recipe.sections.get("evaluate"), recipe.sections.get("gate")
    if not isinstance(measuring, evaluate.Config) or "evaluate" not in planned:
        return
    dialect = load_dialect(task_of(run_dir.header), measuring.dialect)
    found = read_labelled_side(run_dir, measuring.labels, dialect)
    if not isinstance(bounds, gate.Config) or "gate" not in planned:
        return
    if found.form == "scores" and unbounded(dialect, bounds):
        raise RecipeError(f"{recipe.path}: {never_passes(dialect)}")
