"""What a recipe says of teachers: who judges what, and how their verdicts become one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from judgesmith.audits import Finding, stop_on_errors
from judgesmith.errors import AuditError, RecipeError
from judgesmith.evaluation.dry_run import DryRun, Limits, Outcome
from judgesmith.evaluation.final_label import FinalLabel, Policy, check_teachers
from judgesmith.models.simulated_teacher import TeacherSpec
from judgesmith.records import AnnotatorKind
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates


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
    judges `panel_items` items, in equal shares per bucket, or as `per_bucket` says. A pair is
    judged in both orders, or, where `both_orders` is false, in one that is drawn. `policy`,
    `least_posterior` and `quorum` choose the final verdict of an item that several judged. With
    the policy `person`, what they disagree on goes to a person in the words of `queue_dialect`
    (that of the labels where it is not given), and a person's verdict is final. `on_people` says
    what follows where labels by people contradict the primary teacher's: stop, or go on.
    """

    primary: str
    panel: tuple[str, ...] = ()
    simulated: tuple[TeacherSpec, ...] = ()
    dry_run: DryRunFirst | None = None
    panel_items: int = Field(300, ge=1)
    per_bucket: dict[str, int] | None = None
    both_orders: bool = True
    policy: Policy = Policy.PRIMARY
    least_posterior: float = Field(0.9, gt=0.5, lt=1)
    quorum: int = Field(1, ge=1)
    reply_tokens: int = Field(1024, ge=1)
    queue_dialect: str | None = None
    on_people: Literal["stop", "go"] = "stop"
    resamples: int = Field(2000, ge=100)

    @property
    def names(self) -> tuple[str, ...]:
        """All who judge, the primary teacher first."""
        second = () if self.dry_run is None else (self.dry_run.second,)
        return tuple(dict.fromkeys((self.primary, *self.panel, *second)))

    @property
    def voters(self) -> tuple[str, ...]:
        """Those whose verdicts can become a label."""
        return (self.primary,) if self.policy is Policy.PRIMARY else (self.primary, *self.panel)

    @property
    def simulated_names(self) -> frozenset[str]:
        """Names of the simulated ones."""
        return frozenset(spec.name for spec in self.simulated)

    @property
    def asks(self) -> tuple[str, ...]:
        """Those that are models of the recipe."""
        return tuple(name for name in self.names if name not in self.simulated_names)

    @property
    def kind(self) -> AnnotatorKind:
        """Who stands behind the labels: one simulated voter makes them simulated."""
        if self.simulated_names & set(self.voters):
            return AnnotatorKind.SIMULATED
        return AnnotatorKind.MODEL

    @property
    def rule(self) -> FinalLabel:
        """How the final verdict is chosen."""
        return FinalLabel(
            policy=self.policy, primary=self.primary if self.policy is Policy.PRIMARY else None,
            least_posterior=self.least_posterior, quorum=self.quorum,
        )  # fmt: skip

    def rehearsed(self, rates: Rates) -> Self:
        """Each teacher simulated."""
        added = tuple(rates.spec(name, TeacherSpec) for name in self.asks)
        return self.model_copy(update={"simulated": (*self.simulated, *added)})

    @model_validator(mode="after")
    def _can_be_carried_out(self) -> Self:
        if self.primary in self.panel or len(set(self.panel)) < len(self.panel):
            raise ValueError("the panel's members are others than `primary`, each named once")
        if self.dry_run is not None and self.dry_run.second == self.primary:
            raise ValueError("`dry_run.second` is another model than `primary`")
        if len(self.simulated_names) < len(self.simulated):
            raise ValueError("`simulated` teachers have different names")
        if self.per_bucket is not None and (not self.panel or not any(self.per_bucket.values())):
            raise ValueError("`per_bucket` says what a `panel` judges, one item or more")
        try:
            check_teachers((self.primary, *self.panel), self.rule)
        except RecipeError as error:
            raise ValueError(str(error)) from None
        return self


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
        f"{says}\n{lines}\n{remedy}", [check.model_dump(mode="json") for check in found.checks]
    )


def stop_unless_told(
    fatal: Iterable[Finding], config: Teachers, tables: Mapping[str, Any]
) -> list[Finding]:
    """What people contradict, as findings beside others where `on_people` says to go on.

    Raises AuditError where it does not: with the findings, the setting that goes on, and, as its
    last row, the tables made so far, so that the report of a stopped stage can show them.
    """
    if config.on_people == "go":
        return list(fatal)
    go = "or go on all the same with --set labels.teachers.on_people=go"
    try:
        stop_on_errors(replace(one, remedy=f"{one.remedy}; {go}") for one in fatal)
    except AuditError as error:
        error.findings.append({"tables": dict(tables)})
        raise
    return []
