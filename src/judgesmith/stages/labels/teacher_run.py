"""Teachers at work: a dry run, a look at people's verdicts, all items, a panel, final verdicts.

The primary teacher judges the items that a student learns from, and those that people judged, on
the test side, too: that it was held against test labels is noted as a look at them. The panel
judges a subset of what a student learns from, with as many items from a rare bucket as from a
common one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from judgesmith.audits import Finding
from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.evaluation.cross_check import cross_check, draw, quota_table, quotas, supply_of
from judgesmith.evaluation.dry_run import DryRun, dry_run
from judgesmith.evaluation.final_label import (
    Decision,
    Policy,
    Why,
    decide,
    decided_by,
    decision_table,
    left_open_by_people,
)
from judgesmith.evaluation.lost_verdicts import weighing_findings
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import against_people
from judgesmith.evaluation.teacher_reading import Teacher
from judgesmith.evaluation.weighing import accuracies
from judgesmith.models.asking import About, Usage, judge_items
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Label,
    Split,
    choice,
    content_id,
)
from judgesmith.runs.jsonl import PartialFile
from judgesmith.stages.labels.failures import failed_findings, status_table
from judgesmith.stages.labels.label_inputs import LabelInputs, TeacherLabels
from judgesmith.stages.labels.reading import agreeing, read, shown_to_teachers
from judgesmith.stages.labels.rehearsal import with_simulated
from judgesmith.stages.labels.teachers import (
    DryRunFirst,
    Teachers,
    stop_unless_good,
    stop_unless_told,
)

LEARNING = (Split.TRAIN, Split.DEV)
NOT_ASKED = "on the test side, where teachers do not label"
LEAST = 20
"""Items below which agreement is not shown, and settles nothing."""


class TeacherRun:
    """Teachers at work on the items of one run.

    What can be said to be wrong without a judgment is said here, before anything is paid for.
    Raises DataError where nothing is to be judged, RecipeError for a bucket that no item is in.
    """

    def __init__(
        self, config: Teachers, given: LabelInputs, partial: PartialFile, models: ModelOpener
    ) -> None:
        self._config, self._given, self._partial = config, given, partial
        self._opener = with_simulated(config.simulated, given, models)
        self._usage = Usage()
        self._judgments: dict[str, Judgment] = {}
        self._plan = Plan(
            seed=given.seed, resamples=config.resamples, slice_resamples=config.resamples,
            confidence=0.95, least=LEAST, scale=given.dialect.pair_scale.values,
        )  # fmt: skip
        self._learning = [item for item in given.items if item.split in LEARNING]
        if not self._learning:
            raise DataError("labels.teachers: no item is on the training or dev side to be judged.")
        self._few = self._drawn_few(config.dry_run)
        self._panel = self._drawn_panel()

    def teach(self, note_look: Callable[[str], object]) -> TeacherLabels:
        """All of it, in the order in which money is risked.

        `note_look` is told of every time when verdicts meet test labels, with a hash of both.
        """
        config, given = self._config, self._given
        tables: dict[str, Any] = {}
        if config.dry_run is not None:
            tables["dry run"] = self._dry_run(config.dry_run).model_dump(mode="json")
        findings = self._against_people(tables, note_look)
        judges = self._ask((config.primary,), self._learning, "the primary teacher")
        if self._panel:
            judges += self._cross_check(judges, tables)
        ids = [item.id for item in self._learning]
        decisions = decide(ids, judges, config.rule)
        if config.policy is Policy.WEIGHTED:
            findings += weighing_findings(decisions, config.least_posterior)
        if config.policy is Policy.PERSON:
            decisions = self._with_people(decisions)
        tables["final labels"] = decision_table(decisions)
        if config.policy is Policy.WEIGHTED:
            tables["final labels"]["accuracies"] = accuracies(ids, judges)
        judgments = self._in_order()
        tables["judgments by status"] = status_table(judgments)
        labels, by_people = self._labels(decisions, {judge.name: judge for judge in judges})
        to_person = {decision.item_id for decision in decisions if decision.to_person}
        return TeacherLabels(
            judgments=judgments,
            labels=labels,
            by_people=by_people,
            unlabelled={item.id: NOT_ASKED for item in given.items}
            | {d.item_id: d.why.value for d in decisions if d.verdict is None},
            to_person=[item for item in self._learning if item.id in to_person],
            tables=tables,
            findings=findings + failed_findings(judgments),
            usage=self._usage,
        )

    def _with_people(self, decisions: Sequence[Decision]) -> list[Decision]:
        """What people said is final; where they contradict each other, nothing is."""
        people = self._given.people
        said, torn = people.deciding_verdicts, people.disagreed_on
        return [
            left_open_by_people(d) if d.item_id in torn else decided_by(said.get(d.item_id), d)
            for d in decisions
        ]

    def _ask(self, names: Sequence[str], items: Sequence[Item], doing: str) -> list[Teacher]:
        """The named as teachers, by name, each with its verdicts on the items."""
        given, config = self._given, self._config
        shown = shown_to_teachers(items, given.dialect, both=config.both_orders, seed=given.seed)
        about = About(shown, given.questions, given.responses, given.dialect, config.reply_tokens)
        judgments, usage = judge_items(
            about, names, self._partial, self._opener, stage=f"labels, {doing}"
        )
        self._usage.update(usage)
        for judgment in judgments:
            simulated = judgment.judge in config.simulated_names
            source = f"simulated teacher {judgment.judge}" if simulated else judgment.source
            self._judgments[judgment.id] = judgment.model_copy(update={"source": source})
        return read(judgments, given.dialect)

    def _in_order(self) -> list[Judgment]:
        """All judgments: by teacher as the recipe names them, then by item."""
        teacher = {name: place for place, name in enumerate(self._config.names)}
        item = {item.id: place for place, item in enumerate(self._given.items)}
        return sorted(
            self._judgments.values(), key=lambda j: (teacher[j.judge], item[j.item_id], j.order)
        )

    def _drawn_few(self, first: DryRunFirst | None) -> list[Item]:
        if first is None:
            return []
        few = self._drawn(quotas(supply_of(self._learning), first.items))
        for name in first.limits.hard:
            if name not in supply_of(few):
                raise RecipeError(
                    f"labels.teachers.dry_run.limits.hard: no item is in bucket {name!r}; "
                    f"{nearest(name, supply_of(few))}"
                )
        return few

    def _drawn_panel(self) -> list[Item]:
        if not self._config.panel:
            return []
        supply = supply_of(self._learning)
        return self._drawn(quotas(supply, self._config.panel_items, self._config.per_bucket))

    def _drawn(self, quota: Mapping[str, int]) -> list[Item]:
        """The dry run's items are among the panel's, so that none is paid for twice."""
        return draw(self._learning, quota, seed=self._given.seed, purpose="panel")

    def _dry_run(self, first: DryRunFirst) -> DryRun:
        names = (self._config.primary, first.second)
        by_name = {judge.name: judge for judge in self._ask(names, self._few, "dry run")}
        found = dry_run(
            self._few, (by_name[names[0]], by_name[names[1]]),
            questions=self._given.questions, limits=first.limits, plan=self._plan,
        )  # fmt: skip
        stop_unless_good(found, first)
        return found

    def _against_people(
        self, tables: dict[str, Any], note_look: Callable[[str], object]
    ) -> list[Finding]:
        """The primary teacher on what people judged; it stops where it teaches the opposite."""
        given = self._given
        people = given.people.measuring_verdicts
        judged = [item for item in given.items if item.id in people]
        if not judged:
            return []
        (primary,) = self._ask((self._config.primary,), judged, "what people judged")
        on_test = [item.id for item in judged if item.split not in LEARNING]
        if on_test:
            told = [(i, people[i], str(primary.verdicts[i].averaged)) for i in on_test]
            note_look(content_id("look", primary.name, told))
        found = against_people(judged, primary, people, questions=given.questions, plan=self._plan)
        tables["teacher against people"] = found.rows
        so_far = {**tables, "judgments by status": status_table(self._in_order())}
        return [*stop_unless_told(found.fatal, self._config, so_far), *found.findings]

    def _cross_check(self, judges: Sequence[Teacher], tables: dict[str, Any]) -> list[Teacher]:
        """The panel's other members, and what they agree on with the primary teacher."""
        given = self._given
        tables["panel items by bucket"] = quota_table(
            supply_of(self._learning), supply_of(self._panel), self._config.per_bucket
        )
        others = self._ask(self._config.panel, self._panel, "the panel")
        tables["cross-check"] = cross_check(
            self._panel, [*judges, *others], questions=given.questions,
            people=given.people.measuring_verdicts, key=given.key, plan=self._plan,
        )  # fmt: skip
        return others

    def _labels(
        self, decisions: Sequence[Decision], teachers: Mapping[str, Teacher]
    ) -> tuple[list[Label], dict[str, Label]]:
        """Labels by teachers, and those by people who decided, by the id they were given with.

        Each rests on the judgments that say the same, the primary teacher's first. Who decided is
        who said the verdict that was accepted; the terms of a person's label are the person's.
        """
        by_item: dict[str, list[Judgment]] = {}
        for judgment in self._in_order():
            teacher = teachers.get(judgment.judge)
            if teacher is not None and judgment.item_id in teacher.verdicts:
                by_item.setdefault(judgment.item_id, []).append(judgment)
        people: dict[str, list[Label]] = {}
        for label in self._given.people.labels:
            people.setdefault(label.item_id, []).append(label)
        labels: list[Label] = []
        decided: dict[str, Label] = {}
        licences = {item.id: item.licence for item in self._learning}
        for d in decisions:
            if d.verdict is None:
                continue
            reasons = agreeing(by_item[d.item_id], d.verdict, teachers)
            if d.why is not Why.A_PERSON:
                labels.append(self._by_teachers(d, reasons, licences[d.item_id]))
                continue
            for label in people[d.item_id]:
                if isinstance(label.verdict, Choice) and label.verdict.value == d.verdict:
                    decided[label.id] = _decided(label, reasons)
        return labels, decided

    def _by_teachers(self, d: Decision, reasons: tuple[str, ...], licence: str) -> Label:
        config = self._config
        simulated = config.kind is AnnotatorKind.SIMULATED
        return Label.make(
            source="simulated teachers" if simulated else "teachers",
            licence=licence,
            item_id=d.item_id,
            verdict=choice(str(d.verdict)),
            direction=self._given.dialect.direction,
            confidence=d.confidence,
            policy=config.policy.value,
            judgment_ids=reasons,
            annotator_kind=config.kind,
            annotator=", ".join(config.voters),
        )


def _decided(label: Label, reasons: tuple[str, ...]) -> Label:
    """A person's label as the one that was accepted, with the judgments that say the same."""
    fields = label.model_dump(exclude={"id", "policy", "judgment_ids"})
    return Label.make(
        **{**fields, "verdict": label.verdict}, policy=Policy.PERSON.value, judgment_ids=reasons
    )
