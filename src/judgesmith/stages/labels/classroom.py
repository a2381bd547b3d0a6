"""Teachers at work: a dry run, a look at people's verdicts, all items, a panel, final verdicts.

The primary teacher judges the items that a student learns from, and those that people judged. The
panel judges a subset with as many items from a rare bucket as from a common one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.audits import Finding
from judgesmith.errors import DataError, RecipeError, nearest
from judgesmith.evaluation.cross_check import cross_check, draw, quota_table, quotas, supply_of
from judgesmith.evaluation.dry_run import DryRun, dry_run
from judgesmith.evaluation.final_label import Decision, Policy, decide, decision_table
from judgesmith.evaluation.judges import Judge
from judgesmith.evaluation.scoring import Plan
from judgesmith.evaluation.teacher_check import against_people
from judgesmith.models.asking import About, Usage, judge_items
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import AnnotatorKind, Item, Judgment, Label, Split, choice
from judgesmith.runs.jsonl import PartialFile
from judgesmith.stages.labels.material import Material, Taught
from judgesmith.stages.labels.reading import agreeing, decided_by, read, shown_to_teachers
from judgesmith.stages.labels.rehearsal import with_simulated
from judgesmith.stages.labels.teachers import DryRunFirst, Teachers, stop_unless_good

LEARNING = (Split.TRAIN, Split.DEV)
NOT_ASKED = "on the test side, where teachers do not label"
LEAST = 20
"""Items below which agreement is not shown, and settles nothing."""


class Classroom:
    """Teachers at work on the items of one run.

    What can be said to be wrong without a judgment is said here, before anything is paid for.
    Raises DataError where nothing is to be judged, RecipeError for a bucket that no item is in.
    """

    def __init__(
        self, config: Teachers, material: Material, partial: PartialFile, models: ModelOpener
    ) -> None:
        self._config, self._material, self._partial = config, material, partial
        self._opener = with_simulated(config.simulated, material, models)
        self._usage = Usage()
        self._judgments: dict[str, Judgment] = {}
        self._plan = Plan(
            seed=material.seed, resamples=config.resamples, slice_resamples=config.resamples,
            confidence=0.95, least=LEAST, scale=material.dialect.pair_scale.values,
        )  # fmt: skip
        self._wanted = [i for i in material.items if i.split in LEARNING or i.id in material.people]
        if not self._wanted:
            raise DataError("labels.teachers: no item is on the training or dev side to be judged.")
        self._few = self._drawn_few(config.dry_run)
        self._panel = self._drawn_panel()

    def teach(self) -> Taught:
        """All of it, in the order in which money is risked."""
        config, people = self._config, self._material.people
        tables: dict[str, Any] = {}
        if config.dry_run is not None:
            tables["dry run"] = self._dry_run(config.dry_run).model_dump(mode="json")
        findings = self._against_people(tables) if people else []
        judges = self._ask((config.primary,), self._wanted, "the primary teacher")
        if self._panel:
            judges += self._cross_check(judges, tables)
        decisions = decide([item.id for item in self._wanted], judges, config.rule)
        by_people = 0
        if config.policy is Policy.PERSON:
            opened = sum(decision.to_person for decision in decisions)
            decisions = [decided_by(people.get(d.item_id), d) for d in decisions]
            by_people = opened - sum(decision.to_person for decision in decisions)
        tables["final labels"] = {**decision_table(decisions), "decided by people": by_people}
        to_person = {decision.item_id for decision in decisions if decision.to_person}
        unlabelled = {item.id: NOT_ASKED for item in self._material.items} | {
            d.item_id: d.why.value for d in decisions
        }
        labels = self._labels(decisions, {judge.name: judge for judge in judges})
        for label in labels:
            del unlabelled[label.item_id]
        return Taught(
            judgments=self._in_order(),
            labels=labels,
            unlabelled=unlabelled,
            to_person=[item for item in self._wanted if item.id in to_person],
            tables=tables,
            findings=findings,
            usage=self._usage,
        )

    def _ask(self, names: Sequence[str], items: Sequence[Item], doing: str) -> list[Judge]:
        """The named as teachers, by name, each with its verdicts on the items."""
        m, config = self._material, self._config
        shown = shown_to_teachers(items, m.dialect, both=config.both_orders, seed=m.seed)
        about = About(shown, m.questions, m.responses, m.dialect, config.reply_tokens)
        judgments, usage = judge_items(
            about, names, self._partial, self._opener, stage=f"labels, {doing}"
        )
        self._usage.update(usage)
        for judgment in judgments:
            simulated = judgment.judge in config.simulated_names
            source = f"simulated teacher {judgment.judge}" if simulated else judgment.source
            self._judgments[judgment.id] = judgment.model_copy(update={"source": source})
        return read(judgments, m.dialect)

    def _in_order(self) -> list[Judgment]:
        """All judgments: by teacher as the recipe names them, then by item."""
        teacher = {name: place for place, name in enumerate(self._config.names)}
        item = {item.id: place for place, item in enumerate(self._material.items)}
        return sorted(
            self._judgments.values(), key=lambda j: (teacher[j.judge], item[j.item_id], j.order)
        )

    def _drawn_few(self, first: DryRunFirst | None) -> list[Item]:
        if first is None:
            return []
        few = self._drawn(quotas(supply_of(self._wanted), first.items))
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
        supply = supply_of(self._wanted)
        return self._drawn(quotas(supply, self._config.panel_items, self._config.per_bucket))

    def _drawn(self, quota: Mapping[str, int]) -> list[Item]:
        """The dry run's items are among the panel's, so that none is paid for twice."""
        return draw(self._wanted, quota, seed=self._material.seed, purpose="panel")

    def _dry_run(self, first: DryRunFirst) -> DryRun:
        names = (self._config.primary, first.second)
        by_name = {judge.name: judge for judge in self._ask(names, self._few, "dry run")}
        found = dry_run(
            self._few, (by_name[names[0]], by_name[names[1]]),
            questions=self._material.questions, limits=first.limits, plan=self._plan,
        )  # fmt: skip
        stop_unless_good(found, first)
        return found

    def _against_people(self, tables: dict[str, Any]) -> list[Finding]:
        m = self._material
        judged = [item for item in self._wanted if item.id in m.people]
        (primary,) = self._ask((self._config.primary,), judged, "what people judged")
        tables["teacher against people"], findings = against_people(
            judged, primary, m.people, questions=m.questions, plan=self._plan
        )
        return findings

    def _cross_check(self, judges: Sequence[Judge], tables: dict[str, Any]) -> list[Judge]:
        """The panel's other members, and what they agree on with the primary teacher."""
        m = self._material
        tables["panel items by bucket"] = quota_table(
            supply_of(self._wanted), supply_of(self._panel), self._config.per_bucket
        )
        others = self._ask(self._config.panel, self._panel, "the panel")
        tables["cross-check"] = cross_check(
            self._panel, [*judges, *others], questions=m.questions, labels=m.people, plan=self._plan
        )
        return others

    def _labels(self, decisions: Sequence[Decision], teachers: Mapping[str, Judge]) -> list[Label]:
        """Each label rests on the judgments that say the same, the primary teacher's first."""
        config = self._config
        by_item: dict[str, list[Judgment]] = {}
        for judgment in self._in_order():
            teacher = teachers.get(judgment.judge)
            if teacher is not None and judgment.item_id in teacher.verdicts:
                by_item.setdefault(judgment.item_id, []).append(judgment)
        simulated = config.kind is AnnotatorKind.SIMULATED
        licences = {item.id: item.licence for item in self._wanted}
        return [
            Label.make(
                source="simulated teachers" if simulated else "teachers",
                licence=licences[d.item_id],
                item_id=d.item_id,
                verdict=choice(d.verdict),
                direction=self._material.dialect.direction,
                confidence=d.confidence,
                policy=config.policy.value,
                judgment_ids=agreeing(by_item[d.item_id], d.verdict, teachers),
                annotator_kind=config.kind,
                annotator=", ".join(config.voters),
            )
            for d in decisions
            if d.verdict is not None
        ]
