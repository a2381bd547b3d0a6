"""Labels by teachers: a dry run, a look at people's verdicts, all items, a panel, a final verdict.

The primary teacher judges the items that a student learns from, and those that people judged. The
panel judges a subset with as many items from a rare bucket as from a common one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field, model_validator

from judgesmith.audits import Finding
from judgesmith.errors import AuditError
from judgesmith.evaluation.cross_check import cross_check, draw, quota_table, quotas, supply_of
from judgesmith.evaluation.dry_run import DryRun, Limits, Outcome, dry_run
from judgesmith.evaluation.final_label import (
    Decision,
    FinalLabel,
    Policy,
    check_teachers,
    decide,
    decision_table,
    read_teachers,
)
from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import against_people
from judgesmith.judging.dialect import Dialect
from judgesmith.models.asking import About, Usage, judge_items
from judgesmith.models.judge import showings
from judgesmith.models.protocol import Model, ModelOpener
from judgesmith.models.simulated_teacher import Known, SimulatedTeacher, TeacherSpec
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    Split,
    choice,
)
from judgesmith.runs.jsonl import PartialFile
from judgesmith.runs.recipe import Section
from judgesmith.tasks import Task

LEARNING = (Split.TRAIN, Split.DEV)


class DryRunFirst(Section):
    """A few items, judged by the primary teacher and a second model, before money is spent.

    `on_review` says what follows where the numbers settle nothing: stop, or go on.
    """

    second: str
    items: int = Field(60, ge=2)
    limits: Limits = Limits()
    on_review: Literal["stop", "go"] = "stop"


class Teachers(Section):
    """Who judges what, and how their verdicts become one.

    `primary` and `panel` are names of the recipe's `models`, or of `simulated` ones. The panel
    judges `panel_items` items, in equal shares per bucket, or as `per_bucket` says. `policy`,
    `least_posterior` and `quorum` choose the final verdict of an item that several judged. With
    the policy `person`, what they disagree on goes to a person in the words of `queue_dialect`
    (that of the labels where it is not given), and a person's verdict is final.
    """

    primary: str
    panel: tuple[str, ...] = ()
    simulated: tuple[TeacherSpec, ...] = ()
    dry_run: DryRunFirst | None = None
    panel_items: int = Field(300, ge=1)
    per_bucket: dict[str, int] | None = None
    policy: Policy = Policy.PRIMARY
    least_posterior: float = Field(0.9, gt=0.5, lt=1)
    quorum: int = Field(1, ge=1)
    reply_tokens: int = Field(1024, ge=1)
    queue_dialect: str | None = None
    resamples: int = Field(2000, ge=100)

    @property
    def names(self) -> tuple[str, ...]:
        """All who judge, the primary teacher first."""
        second = () if self.dry_run is None else (self.dry_run.second,)
        return tuple(dict.fromkeys((self.primary, *self.panel, *second)))

    @property
    def asks(self) -> tuple[str, ...]:
        """Those that are models of the recipe."""
        simulated = {spec.name for spec in self.simulated}
        return tuple(name for name in self.names if name not in simulated)

    @property
    def rule(self) -> FinalLabel:
        """How the final verdict is chosen."""
        return FinalLabel(
            policy=self.policy, primary=self.primary if self.policy is Policy.PRIMARY else None,
            least_posterior=self.least_posterior, quorum=self.quorum,
        )  # fmt: skip

    @model_validator(mode="after")
    def _can_be_carried_out(self) -> "Teachers":
        if self.primary in self.panel or len(set(self.panel)) < len(self.panel):
            raise ValueError("the panel's members are others than `primary`, each named once")
        if self.dry_run is not None and self.dry_run.second == self.primary:
            raise ValueError("`dry_run.second` is another model than `primary`")
        check_teachers((self.primary, *self.panel), self.rule)
        return self


@dataclass(frozen=True)
class Material:
    """What is judged, and in which dialect; `people` are verdicts by people, in item order."""

    items: Sequence[Item]
    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    people: Mapping[str, str]
    task: Task
    dialect: Dialect
    seed: int


@dataclass(frozen=True)
class Taught:
    """What teachers gave: judgments, labels, items for a person, tables, findings, and the cost."""

    judgments: list[Judgment]
    labels: list[Label]
    to_person: list[Item]
    tables: dict[str, Any]
    findings: list[Finding]
    usage: Usage


class Classroom:
    """Teachers at work on the items of one run."""

    def __init__(
        self, config: Teachers, material: Material, partial: PartialFile, models: ModelOpener
    ) -> None:
        self._config, self._material, self._partial = config, material, partial
        self._opener = with_simulated(config.simulated, material, models)
        self._usage = Usage()
        self._plan = Plan(
            seed=material.seed, resamples=config.resamples, slice_resamples=config.resamples,
            confidence=0.95, least=20, scale=material.dialect.pair_scale.values,
        )  # fmt: skip

    def teach(self) -> Taught:
        """All of it, in the order in which money is risked."""
        config, people = self._config, self._material.people
        wanted = [i for i in self._material.items if i.split in LEARNING or i.id in people]
        tables: dict[str, Any] = {}
        if config.dry_run is not None:
            tables["dry run"] = self._dry_run(config.dry_run, wanted).model_dump(mode="json")
        findings: list[Finding] = []
        if people:
            (primary,) = self._ask((config.primary,), [i for i in wanted if i.id in people])[1]
            tables["teacher against people"], findings = against_people(
                wanted, primary, people, questions=self._material.questions, plan=self._plan
            )
        judgments, judges = self._ask((config.primary,), wanted)
        panel = self._panel(wanted)
        if panel:
            tables["panel items by bucket"] = quota_table(
                supply_of(wanted), supply_of(panel), config.per_bucket
            )
            more, others = self._ask(config.panel, panel)
            tables["cross-check"] = cross_check(
                panel, [*judges, *others], questions=self._material.questions, labels=people,
                plan=self._plan,
            )  # fmt: skip
            judgments, judges = judgments + more, judges + others
        decisions = decide([item.id for item in wanted], judges, config.rule)
        if config.policy is Policy.PERSON:
            decisions = [decided_by(people.get(d.item_id), d) for d in decisions]
        tables["final labels"] = decision_table(decisions)
        to_person = {decision.item_id for decision in decisions if decision.to_person}
        return Taught(
            judgments, self._labels(decisions, judgments, wanted),
            [item for item in wanted if item.id in to_person], tables, findings, self._usage,
        )  # fmt: skip

    def _ask(
        self, names: Sequence[str], items: Sequence[Item]
    ) -> tuple[list[Judgment], list[Judge]]:
        """Judgments of the named on the items, and the same read as teachers, in order of name."""
        m = self._material
        about = About(
            showings(items, m.dialect), m.questions, m.responses, m.dialect,
            self._config.reply_tokens,
        )  # fmt: skip
        judgments, usage = judge_items(about, names, self._partial, self._opener, stage="labels")
        self._usage.update(usage)
        margins = dict.fromkeys(names, 0.0) if m.dialect.kind == "single" else None
        # Two orders that contradict each other teach nothing: as a tie they would teach noise.
        return judgments, read_teachers(judgments, tie=None, margins=margins)

    def _dry_run(self, first: DryRunFirst, wanted: Sequence[Item]) -> DryRun:
        quota = quotas(supply_of(wanted), first.items)
        few = draw(wanted, quota, seed=self._material.seed, purpose="panel")
        by_name = {
            judge.name: judge for judge in self._ask((self._config.primary, first.second), few)[1]
        }
        found = dry_run(
            few, (by_name[self._config.primary], by_name[first.second]),
            questions=self._material.questions, limits=first.limits, plan=self._plan,
        )  # fmt: skip
        stop_unless_good(found, first)
        return found

    def _panel(self, wanted: Sequence[Item]) -> list[Item]:
        if not self._config.panel:
            return []
        supply = supply_of(wanted)
        quota = quotas(supply, self._config.panel_items, self._config.per_bucket)
        return draw(wanted, quota, seed=self._material.seed, purpose="panel")

    def _labels(
        self, decisions: Sequence[Decision], judgments: Sequence[Judgment], items: Sequence[Item]
    ) -> list[Label]:
        """Each label rests on the judgments that say the same, one per order, primary's first."""
        by_item: dict[str, list[Judgment]] = {}
        for judgment in judgments:
            by_item.setdefault(judgment.item_id, []).append(judgment)
        licences = {item.id: item.licence for item in items}
        simulated = not self._config.asks
        return [
            Label.make(
                source="simulated teachers" if simulated else "teachers",
                licence=licences[d.item_id],
                item_id=d.item_id,
                verdict=choice(d.verdict),
                direction=self._material.dialect.direction,
                confidence=d.confidence,
                policy=self._config.policy.value,
                judgment_ids=agreeing(by_item[d.item_id], d.verdict),
                annotator_kind=AnnotatorKind.SIMULATED if simulated else AnnotatorKind.MODEL,
                annotator=", ".join((self._config.primary, *self._config.panel)),
            )
            for d in decisions
            if d.verdict is not None
        ]


def agreeing(judgments: Sequence[Judgment], verdict: str) -> tuple[str, ...]:
    """The judgments of an item that say the verdict, the first of each order shown."""
    kept: dict[tuple[int, ...], str] = {}
    for judgment in judgments:
        said = judgment.in_item_order()
        if isinstance(said, Choice) and said.value == verdict:
            kept.setdefault(judgment.order, judgment.id)
    return tuple(kept.values())


def decided_by(person: str | None, decision: Decision) -> Decision:
    """The decision with a person's verdict in the place of what teachers left open."""
    if person is None or not decision.to_person:
        return decision
    return replace(decision, verdict=person, to_person=False)


def stop_unless_good(found: DryRun, first: DryRunFirst) -> None:
    """Raise AuditError with the numbers, before money is spent, where the dry run says so."""
    go = found.outcome is Outcome.REVIEW and first.on_review == "go"
    if found.outcome is Outcome.PASS or go:
        return
    lines = "\n".join(f"  {check.name}: {check.reason}" for check in found.checks)
    remedy = (
        "Draw more items (labels.teachers.dry_run.items), or look at the judgments and go on with "
        "--set labels.teachers.dry_run.on_review=go."
        if found.outcome is Outcome.REVIEW
        else "Mend the rubric or change a model: labels on which two models differ teach noise."
    )
    says = f"labels: the dry run of {found.items} items says {found.outcome.value}:"
    raise AuditError(
        f"{says}\n{lines}\n{remedy}",
        [check.model_dump(mode="json") for check in found.checks],
    )


def with_simulated(
    specs: Sequence[TeacherSpec], material: Material, models: ModelOpener
) -> ModelOpener:
    """The same opener with simulated teachers added, which judge by the answer key."""
    by_name = {spec.name: spec for spec in specs}
    items = {item.id: item for item in material.items}
    policy = material.task.key_policies[0]

    def right(question: Question, shown: Sequence[Response]) -> tuple[str, str] | None:
        found = material.task.judge_by_key(question, shown, policy)
        return None if found is None else (found.verdict.value, found.rationale)

    def opener(name: str) -> Model:
        if name not in by_name:
            return models(name)
        known = Known(
            items, material.questions, material.responses, material.dialect, right, material.seed
        )
        return SimulatedTeacher(by_name[name], known)

    return opener
