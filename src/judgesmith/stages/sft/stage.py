"""The stage: every student of the recipe, one after the other."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from judgesmith.audits.finding import Finding, Severity
from judgesmith.backends.sft_trl import Trained
from judgesmith.backends.threads import choose_threads
from judgesmith.errors import DataError
from judgesmith.evaluation.soft_targets import read_chances
from judgesmith.judging.dialect import Dialect, names_of, require_dialect
from judgesmith.models.dev import Asking, DevSets
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import SftRow, Split
from judgesmith.report.document import CurvePoint
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.progress import say
from judgesmith.runs.students import STUDENT, student_folder
from judgesmith.stages.sft.config import Config, curve_file
from judgesmith.stages.sft.finished import basis_of, read_finished, write_finished
from judgesmith.stages.sft.training import Place, prepare_before, train_student
from judgesmith.tasks import known_dialects, load_dialect, task_of

VERSION = 5
OUTPUTS = ("sft/before", "sft/student", "sft/curve.jsonl")
ROWS = "rows/sft.jsonl"
LEARNT = "learnt"


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Build or fetch the student, train it, and keep its curve; each of several in turn."""
    task = task_of(run_dir.header)
    dialects = {name: load_dialect(task, name) for name in config.dialects}
    rows = run_dir.read(ROWS, SftRow)
    _require_dialects(rows, list(dialects.values()), run_dir)
    soft = config.soft_labels is not None
    chances = read_chances(run_dir, dialects.values()) if soft else {}
    choose_threads(run_dir.file("machine.json"))
    before = prepare_before(config, rows, run_dir.file("sft/before"), run_dir.seed)
    counts: Counter[str] = Counter()
    found: dict[str, Any] = {}
    findings: list[dict[str, Any]] = []
    for name, own in config.students.items():
        asked = [dialects[one] for one in own.dialect]
        hashes = {dialect.hash for dialect in asked}
        learnt = [row for row in rows if row.dialect in hashes]
        _require_rows(name, learnt, asked)
        place = Place(name, before, run_dir.file(student_folder(name)).parent, chances)
        trained, table = _train(own, learnt, asked, place, run_dir, models)
        counts += _counts(learnt, trained)
        findings += table.pop("findings")
        found[name] = table
    taken = counts.total()
    shown = found[STUDENT] if list(found) == [STUDENT] else {"students": found}
    return StageReport(
        taken=taken,
        made=counts.pop(LEARNT, 0),
        dropped=dict(counts),
        tables=shown | ({"findings": findings} if findings else {}),
    )


def _counts(rows: Sequence[SftRow], trained: Trained) -> Counter[str]:
    """What one student made of its rows; a row that two students learn counts for both."""
    train = sum(row.split is Split.TRAIN for row in rows)
    too_long = trained.counts["rows too long"]
    found = {LEARNT: train - too_long, "longer than max_length": too_long}
    return +Counter(found | {"dev row": sum(row.split is Split.DEV for row in rows)})


def _train(
    config: Config, rows: Sequence[SftRow], dialects: Sequence[Dialect], place: Place,
    run_dir: RunDir, models: ModelOpener,
) -> tuple[Trained, dict[str, Any]]:  # fmt: skip
    """One student with its curve and, where it scores responses alone, its tie margins.

    One that was trained to its end before a kill is kept. Its tables come with its findings.
    """
    askings = (
        Asking(dialect, config.reply_tokens, config.dev_items, run_dir.seed) for dialect in dialects
    )
    dev_sets = DevSets.of_run(run_dir, askings, known_dialects(task_of(run_dir.header)))
    basis = basis_of(config, rows, dialects, run_dir.seed)
    trained = read_finished(place, basis)
    if trained is None:
        if place.name != STUDENT:
            say(f"sft: {place.name} is trained")
        trained = train_student(config, rows, place, run_dir=run_dir, dev_sets=dev_sets)
        write_finished(place, basis, trained)
    else:
        say(f"sft: {place.name} was trained to its end before, and is kept")
    margins = dev_sets.keep_margins(lambda: models(place.name), place.folder / "student")
    run_dir.write(curve_file(place.name), merge_log(trained.log))
    lacking = without_kappa(place.name, config, trained, dev_sets)
    told = tables(trained) | ({"tie margin": margins} if margins else {})
    return trained, told | {"findings": [one.to_dict() for one in lacking]}


def without_kappa(
    name: str, config: Config, trained: Trained, dev_sets: DevSets
) -> list[Finding]:  # fmt: skip
    """The finding that no evaluation of a training measured a dev kappa; none where one did."""
    evaluated = sum("dev_loss" in entry for entry in trained.log)
    measured = any("dev_kappa" in entry for entry in trained.log)
    if not evaluated or measured or not config.dev_items:
        return []
    empty = [one.asking.dialect.name for one in dev_sets.sets if not one.items]
    reason, remedy = "it was undefined each time", "see whether its replies can be read"
    if empty:
        reason = f"no dev item has a label in {', '.join(map(repr, empty))}"
        remedy = "raise split.dev_share, or label in that dialect (labels.more)"
    elif config.launch is not None and config.launch.splits:
        reason = "a model that is split over processes cannot write replies between two steps"
        remedy = "see the evaluation, which asks the whole student"
    chosen = config.keep == "best" or config.patience is not None
    by = "dev loss alone chose what was kept" if chosen else "its curve shows dev loss alone"
    return [
        Finding(
            audit="training", severity=Severity.WARNING, count=evaluated, of=evaluated,
            message=f"{name}: no evaluation has a dev kappa: {reason}", examples=(), effect=by,
            remedy=remedy,
        )
    ]  # fmt: skip


def _require_dialects(rows: Sequence[SftRow], dialects: Sequence[Dialect], run_dir: RunDir) -> None:
    """Refuse rows of a dialect that no student learns."""
    known = known_dialects(task_of(run_dir.header))
    if len(dialects) == 1:
        hashes = (row.dialect for row in rows)
        path = str(run_dir.file(ROWS))
        return require_dialect(hashes, dialects[0], path=path, setting="sft.dialect", known=known)
    strangers = {row.dialect for row in rows} - {dialect.hash for dialect in dialects}
    if strangers:
        raise DataError(
            f"{run_dir.file(ROWS)}: rows were written in {names_of(strangers, known)}, which no "
            f"student learns; they learn {', '.join(repr(d.name) for d in dialects)}. Name every "
            "dialect of rows.dialects under sft.dialect or sft.judges, and no other."
        )
    return None


def _require_rows(name: str, rows: Sequence[SftRow], dialects: Sequence[Dialect]) -> None:
    for dialect in dialects:
        if not any(row.dialect == dialect.hash and row.split is Split.TRAIN for row in rows):
            raise DataError(
                f"sft: student {name!r} has no training row in dialect {dialect.name!r}. Name the "
                "dialect under rows.dialects, and see that labels are given in it "
                "(labels.dialect, labels.more)."
            )


def tables(trained: Trained) -> dict[str, Any]:
    """What the stage's report shows of a training."""
    found: dict[str, Any] = {"training": trained.counts, "tokens": trained.lengths}
    if trained.dry_run is not None:
        found["dry run"] = trained.dry_run._asdict()
    return found


def merge_log(log: Sequence[dict[str, float]]) -> list[CurvePoint]:
    """One point per step, in order, with what was measured then."""
    points: dict[int, dict[str, float]] = {}
    for entry in log:
        points.setdefault(int(entry["step"]), {}).update(entry)
    return [
        CurvePoint(
            step=step,
            train_loss=point.get("train_loss"),
            dev_loss=point.get("dev_loss"),
            dev_kappa=point.get("dev_kappa"),
        )
        for step, point in sorted(points.items())
    ]
