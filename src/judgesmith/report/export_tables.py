"""Tables of an export: which forms there are, and how far each is from the judge."""

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.exports import Exported, Gguf, Parity
from judgesmith.report.numbers import figure, megabytes, plural

NOT_BOUNDED = "no bound"
_BYTES = {"bfloat16": 2, "float32": 4}
SERVED = (
    " Of a served form the number of ids is, and the replies are those of the folder it serves."
)


def stored(one: Exported) -> str:
    """In which form, and how large."""
    if one.form == "adapter":
        four = f", stored in four bits ({one.quantize})" if one.quantize else ""
        return f"an adapter (PEFT) of {one.parameters:,} numbers over the base {one.base}{four}"
    over = f", {one.base} with an adapter laid over it" if one.base else ""
    size = _BYTES.get(one.dtype or "")
    takes = f" ({megabytes(one.parameters * size)})" if size else ""
    return f"a whole model of {one.parameters:,} numbers in {one.dtype}{takes}{over}"


def parity_table(one: Exported) -> Table:
    """One row per form that was checked."""
    rows = tuple(_parity_row(found) for found in one.parity)
    metric = one.parity[0].metric if one.parity else "kappa"
    heads = ("form", "verdicts that differ", f"change of {metric}", "lost at most", "may lose",
             "outcome")  # fmt: skip
    size = one.parity[0] if one.parity else None
    return Table(
        f"{one.checkpoint}: the same judge in every form?",
        columns(*heads, numeric=heads[1:5]),
        rows,
        labels=None if size is None else size.labels_title,
        note="" if size is None else (
            f"The same {plural(size.items, 'dev item')} on {plural(size.questions, 'question')} to "
            f"each; {size.metric} of the student as trained: {_plain(size.reference)}. What is "
            "lost at most is the upper bound of a paired 95% interval over questions. Token ids of "
            f"all compared texts are equal.{SERVED if _is_served(one) else ''}"
        ),
    )  # fmt: skip


def _is_served(one: Exported) -> bool:
    """Whether the judge behind the server was checked, too."""
    return any(found.form.startswith("served, ") for found in one.parity)


def _parity_row(found: Parity) -> tuple[Cell, ...]:
    return (
        Cell(found.form, tone="strong"),
        number_cell(found.flips),
        number_cell(found.change),
        Cell(NOT_BOUNDED if found.most_lost is None else figure(found.most_lost, places=3)),
        Cell(figure(found.limit, places=3)),
        Cell(
            found.outcome,
            tone=found.outcome,
            aside="" if found.outcome == "pass" else found.reason,
        ),
    )


def _plain(value: float | None) -> str:
    return "undefined" if value is None else figure(value)


def gguf_table(one: Exported) -> Table:
    """One row per GGUF file: its size, and how its tensors are stored."""
    other = "A tensor is stored otherwise where its rows are too short for the type of the file. "
    return Table(
        f"{one.checkpoint}: GGUF files",
        columns("file", "size", "tensors", "stored otherwise", numeric=["size"]),
        tuple(_gguf_row(found) for found in one.gguf),
        note=(other if any(found.fallen_back for found in one.gguf) else "") + _which(one),
    )


def _gguf_row(found: Gguf) -> tuple[Cell, ...]:
    types = ", ".join(f"{count} {name}" for name, count in sorted(found.tensors.items()))
    matrices = sum(count for name, count in found.tensors.items() if name != "F32")
    state = "refused" if found.refused else ""
    return (
        Cell(found.file, aside=state, tone="strong"),
        Cell(megabytes(found.size)),
        Cell(types),
        Cell(f"{found.fallen_back} of {matrices} matrices" if found.fallen_back else "none"),
    )


def _which(one: Exported) -> str:
    """The smallest file that passed, and how much it may have lost."""
    lost = {p.form: p.most_lost for p in one.parity if p.outcome == "pass"}
    passed = [g for g in one.gguf if g.kind in lost and g.size is not None and not g.refused]
    if not passed:
        return ""
    best = min(passed, key=lambda g: g.size or 0)
    most = lost[best.kind]
    told = NOT_BOUNDED if most is None else f"at most {figure(most, places=3)} is lost"
    return f"The smallest file that passed is {best.file} ({megabytes(best.size)}; {told})."
