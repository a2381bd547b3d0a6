"""Tables of training: what was trained and how, rows in tokens, and dry runs."""

import math
from collections.abc import Callable, Mapping, Sequence

from judgesmith.report.blocks import Cell, Table, columns
from judgesmith.report.numbers import NOT_MEASURED, duration, figure, whole
from judgesmith.report.setting_words import ACCUMULATION, option_words, per_step
from judgesmith.report.training import Student, kept_step

SHOWN_APART = {ACCUMULATION, "lr_scheduler_type", "warmup_steps", "warmup_ratio"}
"""TRL's options that stand in rows of their own."""
Fact = Callable[[Student], Cell | None]


def facts_table(students: Sequence[Student]) -> Table:
    """What was trained and how: one column per student, and only rows that say something."""
    rows = []
    for name, read in FACTS.items():
        cells = [read(student) for student in students]
        if any(cell is not None for cell in cells):
            rows.append((Cell(name, tone="strong"), *_filled(cells)))
    names = [student.name for student in students]
    return Table("What was trained", columns("", *names), tuple(rows))


def _filled(cells: Sequence[Cell | None]) -> list[Cell]:
    """Said once where it is the same for all."""
    told = [Cell("none", tone="soft") if cell is None else cell for cell in cells]
    if all(cell == told[0] for cell in told):
        return [told[0], *[Cell("the same", tone="soft")] * (len(told) - 1)]
    return told


def _base(one: Student) -> Cell:
    given = one.config.get("student")
    stored = one.config.get("quantize")
    aside = f"stored in four bits ({stored})" if stored else ""
    if not isinstance(given, Mapping):
        return Cell(str(given), aside=aside)
    size = f"{given.get('layers')} layers of width {given.get('width')}"
    kind = given.get("architecture", "llama")
    told = f"{kind}, {size}, random weights"
    return Cell("from nothing", aside="; ".join(part for part in (told, aside) if part))


def _learns(one: Student) -> Cell:
    dialects = one.config.get("dialect") or ()
    return Cell(", ".join([dialects] if isinstance(dialects, str) else dialects))


def _weights(one: Student) -> Cell:
    everything = whole(one.counts.get("parameters"), absent="an unknown number")
    peft = one.config.get("peft")
    if peft is None:
        return Cell(f"all weights: {everything}")
    trained = whole(one.counts.get("trained parameters"), absent="an unknown number")
    told = option_words(peft)
    return Cell(f"an adapter: {trained} weights", aside=f"over {everything} of the base; {told}")


def _rows(one: Student) -> Cell | None:
    sides = {side: found.get("rows", {}) for side, found in one.tokens.items()}
    if "train" not in sides:
        return None
    left = one.counts.get("rows too long", 0) + one.counts.get("dev rows too long", 0)
    dev = f"{whole(sides.get('dev', {}).get('n', 0))} on dev"
    longer = f"{left:,} left out, longer than {one.config.get('max_length'):,} tokens"
    return Cell(
        whole(sides["train"].get("n", 0) - one.counts.get("rows too long", 0)),
        aside=f"{dev}; {longer}" if left else dev,
    )


def _tokens(one: Student) -> Cell | None:
    if "tokens per epoch" not in one.counts:
        return None
    replies = whole(one.counts.get("supervised tokens per epoch"))
    return Cell(f"{one.counts['tokens per epoch']:,}", aside=f"{replies} of them of replies")


def _steps(one: Student) -> Cell | None:
    if not one.curve:
        return None
    made, each = max(point.step for point in one.curve), per_step(one.config)
    rows = one.tokens.get("train", {}).get("rows", {}).get("n", 0)
    told = [f"{each:,} rows each"]
    if rows:
        told.append(f"{made * each / rows:.2g} epochs")
    planned = one.config.get("steps")
    if planned is None and one.config.get("epochs") and rows:
        single = each // int((one.config.get("launch") or {}).get("processes", 1))
        planned = max(1, math.ceil(one.config["epochs"] * rows / single))
    if planned and made < planned:
        told.append(f"stopped before {planned:,}")
    return Cell(f"{made:,}", aside=", ".join(told))


def _rate(one: Student) -> Cell:
    trl = one.config.get("trl") or {}
    told = []
    if "lr_scheduler_type" in trl:
        told.append(str(trl["lr_scheduler_type"]))
    if trl.get("warmup_steps") or trl.get("warmup_ratio"):
        told.append(
            f"{trl['warmup_steps']} steps of warm-up" if trl.get("warmup_steps")
            else f"{trl['warmup_ratio']:.0%} of the steps as warm-up"
        )  # fmt: skip
    return Cell(f"{one.config.get('learning_rate'):g}", aside=", ".join(told))


def _batches(one: Student) -> Cell | None:
    packing = one.config.get("packing")
    if packing is None:
        return None
    return Cell("rows packed together" if packing == "bfd" else "padded, rows of similar length")


def _soft(one: Student) -> Cell | None:
    weight = one.config.get("soft_labels")
    if weight is None:
        return None
    rows = one.counts.get("soft")
    aside = "" if rows is None else f"in {rows:,} rows"
    return Cell(f"the teachers' distribution, weight {weight:g}", aside=aside)


def _processes(one: Student) -> Cell | None:
    launch = one.config.get("launch")
    if not launch:
        return None
    return Cell(whole(launch["processes"]), aside=str(launch.get("config") or ""))


def _kept(one: Student) -> Cell | None:
    keep, step = one.config.get("keep"), kept_step(one.curve)
    if keep is None:
        return None
    patience = one.config.get("patience")
    waits = "" if patience is None else f"stops after {patience} evaluations without a better one"
    if keep == "last" or step is None:
        return Cell("the last step", aside=waits)
    return Cell(f"step {step:,}", aside=f"the best on dev; {waits}" if waits else "the best on dev")


def _others(one: Student) -> Cell | None:
    trl = {k: v for k, v in (one.config.get("trl") or {}).items() if k not in SHOWN_APART}
    return Cell(option_words(trl)) if trl else None


FACTS: dict[str, Fact] = {
    "base": _base,
    "dialects": _learns,
    "trained": _weights,
    "training rows": _rows,
    "tokens per epoch": _tokens,
    "steps": _steps,
    "learning rate": _rate,
    "batches": _batches,
    "target of the verdict": _soft,
    "processes": _processes,
    "kept": _kept,
    "other options of TRL": _others,
}


def dry_run_table(students: Sequence[Student], wall_s: float | None) -> Table:
    """What was found on a copy of each student before its training."""
    rows = []
    for one in students:
        found = one.dry_run
        if found is None:
            continue
        fell = found["loss_after"] < found["loss_before"]
        asked = found["asked"]
        rows.append(
            (
                Cell(one.name, tone="strong"),
                Cell(whole(found["rows"]), aside=f"{found['steps']:,} steps"),
                Cell(
                    f"{figure(found['loss_before'], places=3)} → "
                    f"{figure(found['loss_after'], places=3)}",
                    aside="fell" if fell else "did not fall",
                ),
                Cell(f"{found['parsed']:,} of {asked:,}")
                if asked
                else Cell(NOT_MEASURED, tone="soft"),
                Cell(f"{found['tokens_per_second']:,.0f}"),
                Cell(duration(found["projected_hours"] * 3600)),
                Cell(f"{found['peak_memory_gb']:.1f} GB"),
            )
        )
    heads = (
        "rows", "loss", "replies parsed", "tokens per second", "projected time", "most memory",
    )  # fmt: skip
    took = (
        "" if wall_s is None else f" All trainings of this stage together took {duration(wall_s)}."
    )
    return Table(
        "Dry run, before the training",
        columns("student", *heads, numeric=heads),
        tuple(rows),
        note=(
            "A copy was trained on a few rows, the longest among them. Loss: nats per token of "
            f"their replies. Projected: the whole training with its evaluations.{took}"
        ),
    )


def tokens_table(one: Student, *, several: bool) -> Table:
    """Lengths of prompts, replies and rows, and of the rows of each bucket, on both sides."""
    most = one.config.get("max_length")
    rows = []
    over = 0
    for side, parts in one.tokens.items():
        for part, found in parts.items():
            longer = found.get("over max_length")
            over += longer or 0
            rows.append(
                (
                    Cell(part, tone="strong"),
                    Cell(side),
                    *(Cell(whole(found.get(name), absent="")) for name in ("n", "p50", "p95")),
                    Cell(whole(found.get("max"), absent="")),
                    Cell("" if longer is None else f"{longer:,}"),
                )
            )
    heads = ("n", "half are within", "95% are within", "longest", f"over {whole(most)}")
    whose = f": {one.name}" if several else ""
    return Table(
        f"Lengths of rows in tokens{whose}",
        columns("part", "side", *heads, numeric=heads),
        tuple(rows),
        note="In the student's own tokens. A row over the length is left out, never cut.",
        folded=not over,
    )
