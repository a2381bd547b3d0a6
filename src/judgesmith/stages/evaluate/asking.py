"""Ask the run's own students in each dialect, once per item, however many parts need the answer."""

from collections.abc import Sequence

from judgesmith.backends.origin import reply_budget, require_trained_in
from judgesmith.errors import DataError
from judgesmith.inference.students import origin_of
from judgesmith.judging.dialect import Dialect
from judgesmith.models.asking import About, Usage, judge_items
from judgesmith.models.judge import showings
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import Item, Judgment
from judgesmith.report.advice import ELSEWHERE
from judgesmith.runs.layout import RunDir
from judgesmith.stages.evaluate.config import Part
from judgesmith.stages.evaluate.labelled_side import LabelledSide

JUDGMENTS = "evaluate/judgments.jsonl"


class Asker:
    """The judgments of a run's students, by dialect; each is asked for once."""

    def __init__(self, run_dir: RunDir, models: ModelOpener) -> None:
        self._run_dir, self._models = run_dir, models
        self._known: dict[str, dict[tuple[str, str], list[Judgment]]] = {}
        self._partials: set[str] = set()
        self.usage = Usage()

    def ask(
        self, part: Part, dialect: Dialect, items: Sequence[Item], found: LabelledSide
    ) -> dict[str, list[Judgment]]:
        """Judgments of each student of a part on these items, in their order."""
        known = self._known.setdefault(dialect.hash, {})
        missing = [
            item for item in items if any((s, item.id) not in known for s in part.students)
        ]  # fmt: skip
        if missing:
            self._judge(part, dialect, missing, found)
        return {
            student: [judgment for item in items for judgment in known[student, item.id]]
            for student in part.students
        }

    def _judge(
        self, part: Part, dialect: Dialect, items: Sequence[Item], found: LabelledSide
    ) -> None:
        about = About(
            showings(items, dialect), found.questions, found.responses, dialect,
            token_budget(part, self._run_dir),
        )  # fmt: skip
        first = not self._partials
        name = JUDGMENTS if first else f"evaluate/{dialect.name}.{len(self._partials)}.jsonl"
        self._partials.add(name)
        judgments, usage = judge_items(
            about, part.students, self._run_dir.partial(name), self._models, stage="evaluate"
        )
        self.usage.update(usage)
        known = self._known[dialect.hash]
        fresh: dict[tuple[str, str], list[Judgment]] = {}
        for judgment in judgments:
            fresh.setdefault((judgment.judge, judgment.item_id), []).append(judgment)
        for key, made in fresh.items():
            known.setdefault(key, made)

    @property
    def judgments(self) -> list[Judgment]:
        """Every judgment, dialect by dialect, in the order in which it was asked for."""
        return [
            judgment
            for by_item in self._known.values()
            for made in by_item.values()
            for judgment in made
        ]

    def forget_partials(self) -> None:
        """Remove the unfinished forms of what is now written whole."""
        for name in self._partials:
            self._run_dir.partial(name).path.unlink(missing_ok=True)


def token_budget(part: Part, run_dir: RunDir) -> int:
    """Tokens a reply may have: the recipe's, or the most that a student's own replies call for.

    Raises DataError where the recipe leaves it open and no student's folder says how long its
    training replies were.
    """
    if part.reply_tokens is not None:
        return part.reply_tokens
    origins = [origin_of(run_dir, student) for student in part.students]
    found = [reply_budget(origin) for origin in origins if origin is not None]
    budgets = [budget for budget in found if budget is not None]
    if not budgets:
        raise DataError(
            f"evaluate.reply_tokens: expected a number, as no student among {part.students!r} "
            "says how long its training replies were (judgesmith.json). Set it."
        )
    return max(budgets)


def check_students(run_dir: RunDir, part: Part, dialect: Dialect, *, deciding: bool) -> None:
    """Refuse a student of a dialect that has changed since, or a deciding one of another dialect.

    Others may be asked in a dialect that they were not trained in: their replies say how far
    their format carries.
    """
    for place, student in enumerate(part.students):
        require_trained_in(
            origin_of(run_dir, student), dialect, student=student,
            strangers=place > 0 or not deciding,
        )  # fmt: skip


def trained_elsewhere(run_dir: RunDir, student: str, dialect: Dialect) -> str:
    """A note where a student was trained in other dialects only; empty otherwise."""
    origin = origin_of(run_dir, student)
    if origin is None or not origin.dialects or dialect.hash in origin.dialects.values():
        return ""
    return ELSEWHERE
