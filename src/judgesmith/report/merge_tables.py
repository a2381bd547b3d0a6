"""Tables of a merge: its inputs, how they lie to each other, and what was tried on dev."""

from collections.abc import Mapping, Sequence
from typing import Any

from judgesmith.report.blocks import Cell, Table, columns
from judgesmith.report.merging import ROUTED, Measured, Merging, Spread, Tried
from judgesmith.report.numbers import NOT_MEASURED, figure
from judgesmith.report.training import DEV_LABELS

NOTHING_KEPT = "not measured"


def inputs_table(summary: Mapping[str, Any]) -> Table:
    """What was merged: each input with its weight, its ranks and the hash of its weights."""
    rows = tuple(
        (
            Cell(one["name"], tone="strong"),
            Cell(f"{one['weight']:g}"),
            Cell(", ".join(f"{rank:,}" for rank in one["ranks"]) or "full weights"),
            Cell(one["sha256"][:16]),
        )
        for one in summary["inputs"]
    )
    heads = ("weight", "rank")
    return Table("What was merged", columns("input", *heads, "sha256", numeric=heads), rows)


def spread_table(spreads: Sequence[Spread], tensors: int) -> Table:
    """Median and range of every measure over the tensors."""
    rows = tuple(
        (
            Cell(one.measure, tone="strong"),
            Cell(_written(one.median, share=one.share)),
            Cell(_written(one.low, share=one.share)),
            Cell(_written(one.high, share=one.share)),
            Cell(f"{one.tensors:,}"),
        )
        for one in spreads
    )
    heads = ("median", "lowest", "highest", "tensors")
    return Table(
        f"How the inputs lie to each other, over {tensors:,} tensors",
        columns("measure", *heads, numeric=heads),
        rows,
        note=(
            "Of what each training added to the base. Cosine: 1 is the same direction, 0 none in "
            "common. Longer over shorter: the ratio of their norms. The effective coefficient is "
            "how much of an input the merged tensor holds. Each tensor is in merge.json."
        ),
    )


def unusual_table(merging: Merging) -> Table:
    """The tensors that stand out, with the measure in which they do."""
    shares = {one.measure for one in merging.spreads if one.share}
    rows = tuple(
        (
            Cell(one.tensor, aside=" × ".join(map(str, one.shape))),
            Cell(one.measure),
            Cell(_written(one.value, share=one.measure in shares)),
            Cell(_written(one.median, share=one.measure in shares)),
        )
        for one in merging.unusual
    )
    heads = ("its value", "median of all")
    return Table(
        "Tensors that stand out",
        columns("tensor", "stands out in", *heads, numeric=heads),
        rows,
        note="Beyond 3.5 robust standard deviations from the median; the farthest few.",
    )


def _written(value: float, *, share: bool) -> str:
    return f"{value:.1%}" if share else figure(value)


def search_table(merging: Merging) -> Table:
    """What was tried on dev: every merge, its specialists alone and routed, and those beside."""
    dialects = {name: found.items for one in merging.search for name, found in one.measures.items()}
    rows = tuple(
        (
            Cell(one.name, aside=_what(one.name, merging), tone="strong"),
            *(_measured(one.measures.get(name)) for name in dialects),
            _kept(one),
            _standing(one, is_merge=one in merging.merges),
        )
        for one in merging.search
    )
    heads = [*(f"{name} (n = {n:,})" for name, n in dialects.items()), "keeps at least"]
    return Table(
        "Tried on dev",
        columns("judge", *heads, "", numeric=heads),
        rows,
        labels=DEV_LABELS,
        note=(
            "In each format: agreement (kappa on verdicts, quadratic weighted kappa on scores), "
            "then what stands behind it; an unread reply counts as wrong. Keeps at least: the "
            "smallest ratio of agreement to that of the format's specialist. Undominated: no other "
            "merge is as good in everything and better in something. Figures on dev choose; they "
            "carry no interval. What the chosen one is worth is measured on the test items."
        ),
    )


def _what(name: str, merging: Merging) -> str:
    if name == ROUTED:
        return "the specialists, each in its own format"
    if any(name == one.name for one in merging.merges):
        return "as the recipe says" if name == merging.merges[0].name else ""
    return "specialist" if name in merging.config.get("judges", ()) else "not merged, beside"


def _measured(found: Measured | None) -> Cell:
    if found is None:
        return Cell(NOT_MEASURED, tone="soft")
    parts = [f"right {found.right:.0%}"]
    if found.pearson is not None:
        parts.append(f"Pearson {figure(found.pearson)}")
    parts.append(f"read {found.parsed:.0%}")
    if found.consistency is not None:
        parts.append(f"consistent {found.consistency:.0%}")
    if found.agreement is None:
        return Cell("undefined", aside=", ".join(parts), tone="soft")
    return Cell(figure(found.agreement), aside=", ".join(parts))


def _kept(one: Tried) -> Cell:
    if one.worst_kept is None:
        return Cell(NOTHING_KEPT, tone="soft")
    return Cell(f"{one.worst_kept:.0%}")


def _standing(one: Tried, *, is_merge: bool) -> Cell:
    if one.chosen:
        return Cell("chosen", aside="undominated" if one.undominated else "", tone="pass")
    if not is_merge:
        return Cell("")
    return Cell("undominated", tone="info") if one.undominated else Cell("", tone="soft")
