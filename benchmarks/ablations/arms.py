"""Run one arm with one seed through the pipeline, and read what its evaluation left."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.ablations.settings import BASE, RECIPE, Ablation

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import Judge, Read, read_judgments
from judgesmith.inference.students import margin_of
from judgesmith.models.pointwise import expected_scores
from judgesmith.pipeline import find_recipe, read_recipe, run_recipe, start_run
from judgesmith.records import TIE, Item, Judgment, Kind, Split
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import Manifest
from judgesmith.runs.recipe import Recipe
from judgesmith.stages.evaluate.labelled_side import LabelledSide, read_labelled_side
from judgesmith.stages.evaluate.rules import by_rule
from judgesmith.tasks import load_dialect, task_of

DOMAINS = {Split.TEST: "in domain", Split.HELD_OUT: "out of domain"}


class Place(NamedTuple):
    """A test item of one seed; the cluster is its question within the seed."""

    seed: int
    item: str
    group: str

    @property
    def cluster(self) -> tuple[int, str]:
        """What is resampled as a whole."""
        return self.seed, self.group


class Cost(NamedTuple):
    """What a student learned from and how long all stages of its run took.

    `asked` is the cap on its training items, None without one: a cap above the supply is no cap.
    """

    items: int
    asked: int | None
    rows: int
    steps: int
    batch: int
    minutes: float


@dataclass(frozen=True)
class Outcome:
    """One arm with one seed: its test items by domain, their labels, and verdicts on them."""

    arm: str
    seed: int
    places: Mapping[str, Sequence[Place]]
    labels: Mapping[Place, str]
    reads: Mapping[str, Mapping[Place, Read]]
    cost: Cost
    reports: Mapping[str, Mapping[str, Any]]
    errors: Mapping[str, Mapping[Place, float]] = field(default_factory=dict)
    """Of judges that score each response alone: the mean squared error of an item's scores."""


def overrides(
    ablation: Ablation, arm: str, seed: int, extra: Sequence[str] = ()
) -> tuple[str, ...]:
    """All overrides of one arm, in the order in which they are applied."""
    given = (f"seed={seed}", *BASE, *ablation.common, *ablation.arms[arm])
    if ablation.follow:
        # Checked by itself first: the sections that follow would lack their dialect.
        plain = (f"seed={seed}", *ablation.common, *(e for e in extra if e.startswith("sft.")))
        config: Any = read_recipe(find_recipe(RECIPE), plain).sections["sft"]
        given += tuple(f"{key}={config.dialects[0]}" for key in ablation.follow)
    return (*given, *extra)


def run_arm(
    ablation: Ablation, arm: str, seed: int, *, folder: Path, extra: Sequence[str] = ()
) -> Outcome:
    """Run what is not there yet, up to evaluate, and read it."""
    recipe = read_recipe(find_recipe(RECIPE), overrides(ablation, arm, seed, extra))
    run_dir = start_run(folder, recipe)

    def announce(stage: str, what: str) -> None:
        if what != "fresh":
            print(f"{folder}: {stage} ({what})", file=sys.stderr, flush=True)

    with run_dir.locked():
        made = list(run_recipe(recipe, run_dir, until="evaluate", announce=announce))
    return read_outcome(arm, run_dir, recipe, {manifest.stage: manifest for manifest in made})


def read_outcome(
    arm: str, run_dir: RunDir, recipe: Recipe, manifests: Mapping[str, Manifest]
) -> Outcome:
    """The records of a finished run."""
    config: Any = recipe.sections["evaluate"]
    task = task_of(run_dir.header)
    dialect = load_dialect(task, config.dialect)
    found = read_labelled_side(run_dir, config.labels, dialect)
    judgments = run_dir.read("evaluate/judgments.jsonl", Judgment)
    tie = TIE if dialect.pair_scale.has_tie else None
    judges = [
        read_judgments(
            name, "student", [j for j in judgments if j.judge == name], tie=tie,
            margin=margin_of(name, dialect, run_dir),
        )
        for name in config.students
    ]  # fmt: skip
    judges += [
        by_rule(name, "baseline", rule, found.items, found.questions, found.responses)
        for name, rule in task.baselines().items()
    ]
    place = {item.id: _place(item, found, run_dir.seed) for item in found.items}
    return Outcome(
        arm=arm,
        seed=run_dir.seed,
        places={
            title: [place[item.id] for item in found.items if item.split is side]
            for side, title in DOMAINS.items()
        },
        labels={place[item]: label for item, label in found.labels.items()},
        reads={judge.name: _by_place(judge, place) for judge in judges},
        cost=_cost(recipe, manifests),
        reports={stage: manifest.report.tables for stage, manifest in manifests.items()},
        errors={
            name: squared_errors([j for j in judgments if j.judge == name], run_dir, place)
            for name in config.students
            if dialect.kind is Kind.SINGLE
        },
    )


def squared_errors(
    judgments: Iterable[Judgment], run_dir: RunDir, place: Mapping[str, Place]
) -> dict[Place, float]:
    """By item, the mean over its responses of (expected score - the answer key's score)^2.

    On a scale of 0 and 1 that is the Brier score. An item without verdict has none.
    """
    key = {
        (j.item_id, j.order): expected_scores(j)
        for j in run_dir.read("labels/judgments.jsonl", Judgment)
        if j.source == "answer key"
    }
    found = {}
    for judgment in judgments:
        scores = expected_scores(judgment)
        right = [key.get((judgment.item_id, (position,))) for position in judgment.order]
        if scores is None or None in right or judgment.item_id not in place:
            continue
        wrong = [(s - r[0]) ** 2 for s, r in zip(scores, right, strict=True) if r is not None]
        found[place[judgment.item_id]] = sum(wrong) / len(wrong)
    return found


def _place(item: Item, found: LabelledSide, seed: int) -> Place:
    return Place(seed, item.id, found.questions[item.question_id].group_id)


def _by_place(judge: Judge, place: Mapping[str, Place]) -> dict[Place, Read]:
    return {place[str(item)]: read for item, read in judge.verdicts.items()}


def _cost(recipe: Recipe, manifests: Mapping[str, Manifest]) -> Cost:
    sft: Any = recipe.sections["sft"]
    split: Any = recipe.sections["split"]
    tables = {stage: manifest.report.tables for stage, manifest in manifests.items()}
    return Cost(
        items=tables["split"]["items by side"]["train"],
        asked=split.max_train,
        rows=manifests["sft"].report.made,
        steps=sft.steps,
        batch=sft.batch,
        minutes=sum(manifest.wall_s for manifest in manifests.values()) / 60,
    )


def same_items(outcomes: Sequence[Outcome]) -> None:
    """Refuse arms that were measured on different items: their differences would not be paired."""
    first: dict[int, Outcome] = {}
    for outcome in outcomes:
        before = first.setdefault(outcome.seed, outcome)
        if {k: set(v) for k, v in before.places.items()} != {
            k: set(v) for k, v in outcome.places.items()
        }:
            raise DataError(
                f"seed {outcome.seed}: arms {before.arm!r} and {outcome.arm!r} were measured on "
                "different test items, so their difference is not paired. An override in --set "
                "moves items between sides; leave it out."
            )
