"""Tables of an export: which forms there are, and how far each is from the judge."""

from judgesmith.report.blocks import Cell, Table, columns, number_cell
from judgesmith.report.exports import Exported, Gguf, Parity
from judgesmith.report.numbers import figure, plural

NOT_BOUNDED = "no bound"
SERVED = (
    " Of a served form the number of ids is, and the replies are those of the folder it serves."
)


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
            f"each; {size.metric} of the student as trained: {_plain(size.reference)}. `lost at "
            "most` is the upper bound of a paired 95% interval over questions. Token ids of all "
            f"compared texts are equal.{SERVED if _is_served(one) else ''}"
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
        Cell(found.outcome, aside=found.reason, tone=found.outcome),
    )


def _plain(value: float | None) -> str:
    return "undefined" if value is None else figure(value)


def gguf_table(one: Exported) -> Table:
    """One row per GGUF file: how its tensors are stored."""
    return Table(
        f"{one.checkpoint}: GGUF files",
        columns("file", "tensors", "stored otherwise"),
        tuple(_gguf_row(found) for found in one.gguf),
        note="A tensor is stored otherwise where its rows are too short for the type of the file.",
    )


def _gguf_row(found: Gguf) -> tuple[Cell, ...]:
    types = ", ".join(f"{count} {name}" for name, count in sorted(found.tensors.items()))
    matrices = sum(count for name, count in found.tensors.items() if name != "F32")
    state = "refused" if found.refused else ""
    return (
        Cell(found.file, aside=state, tone="strong"),
        Cell(types),
        Cell(f"{found.fallen_back} of {matrices} matrices"),
    )
