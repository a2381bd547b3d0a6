"""The section on a merge: what was done, how its inputs lie to each other, and what was tried."""

from collections.abc import Mapping
from typing import Any

from judgesmith.report.blocks import Block, Plot, Plots, Section, Text
from judgesmith.report.merge_tables import (
    inputs_table,
    search_table,
    spread_table,
    unusual_table,
)
from judgesmith.report.merging import ROUTED, Merging, Tried
from judgesmith.report.numbers import plural
from judgesmith.report.scatter_plots import Spot, scatter_plot
from judgesmith.report.setting_words import option_words
from judgesmith.report.training import DEV_LABELS

METHODS = {
    "nuslerp": "NuSLERP: each change is turned from the first judge's towards the second's along "
    "their arc, and keeps its length",
    "linear": "Linear: the weighted mean of the judges' changes",
    "task_arithmetic": "Task arithmetic: the weighted changes are added up",
    "ties": "TIES: of each change the largest entries stay, and of those the ones that agree with "
    "the elected sign are put together",
    "dare_linear": "DARE: of each change entries are dropped at random, the others made larger for "
    "it, and all are added up",
    "dare_ties": "DARE with TIES: entries are dropped at random, the others made larger for it, "
    "and those that agree with the elected sign are put together",
}


def merge_section(merging: Merging | None, *, stamp: str = "") -> Section:
    """What a merge did and found; none without one."""
    if merging is None:
        return Section("merge", "Merge")
    summary = merging.summary
    blocks: list[Block] = [Text(_method(summary)), Text(_result(summary), "note")]
    blocks += [
        Text(f"{one['message']} {one['remedy']}", "warning") for one in summary.get("warnings", ())
    ]
    if merging.search:
        blocks += [Text(_chosen(merging)), *_scatter(merging, stamp), search_table(merging)]
    blocks.append(inputs_table(summary))
    if merging.spreads:
        blocks.append(spread_table(merging.spreads, summary["tensors"]))
    if merging.unusual:
        blocks.append(unusual_table(merging))
    return Section("merge", "Merge", tuple(blocks))


def _method(summary: Mapping[str, Any]) -> str:
    method = dict(summary["method"])
    kind, weights = str(method.pop("kind")), method.pop("weights")
    names = [one["name"] for one in summary["inputs"]]
    shares = ", ".join(f"{name} {weight:g}" for name, weight in zip(names, weights, strict=True))
    told = option_words(method)
    more = f" Its settings: {told}." if told else ""
    return (
        f"{METHODS.get(kind, kind)}. A change is what a judge's training added to the base. "
        f"Weights: {shares}.{more}"
    )


def _result(summary: Mapping[str, Any]) -> str:
    """What kind of result it is, and whether it is exact."""
    base = f" over {summary['base']}" if summary.get("base") else ""
    if summary.get("result") != "adapter":
        return f"The result is a whole model{base}."
    if summary.get("error") is None:
        return (
            f"The result is an adapter{base}, and exact: its rank is the sum of those of its "
            "inputs, so nothing was lost."
        )
    return (
        f"The result is an adapter{base}, compressed to rank {summary['rank']:,}: that lost "
        f"{summary['error']:.2%} of the norm of all merged changes."
    )


def _chosen(merging: Merging) -> str:
    """Which merge was taken, and on what ground."""
    merges = merging.merges
    chosen = next((one for one in merges if one.chosen), merges[0])
    own = merges[0].name
    tried = f"{plural(len(merges), 'merge')} tried on dev items"
    if not (merging.config.get("search") or {}).get("choose", True):
        return f"{tried}, to look at only: the recipe's own stays, {own}."
    if chosen.worst_kept is None:
        why = "what a merge keeps could not be measured, as a specialist does no better than chance"
        return f"{tried}: {why}, so the recipe's own stays, {own}."
    kept = f"keeps at least {chosen.worst_kept:.0%} of every specialist's agreement there"
    if chosen.name == own:
        return f"{tried}: none keeps more than the recipe's own, {own}, which {kept}."
    return f"{tried}: {chosen.name} was chosen in place of the recipe's own, {own}. It {kept}."


def _scatter(merging: Merging, stamp: str) -> list[Block]:
    """Agreement in one format against the other; none where there are not just two of them.

    A specialist stands in it by its line only: in the other's format it says nothing.
    """
    dialects = list(dict.fromkeys(name for one in merging.search for name in one.measures))
    if len(dialects) != 2:
        return []
    axes = (dialects[0], dialects[1])
    alone = {*merging.config.get("judges", ()), ROUTED}
    shown = [one for one in merging.search if one.name not in alone]
    spots = [
        Spot(one.name, "merge" if one in merging.merges else "beside", *place, ringed=one.chosen)
        for one in shown
        if (place := _place(one, axes)) is not None
    ]
    if len({(spot.x, spot.y) for spot in spots}) < 2:
        return []
    routed = next((one for one in merging.search if one.name == ROUTED), None)
    lines = None if routed is None else _place(routed, axes)
    title = "Agreement in both formats on dev"
    svg = scatter_plot(f"{title} · {DEV_LABELS}", spots, axes=axes, lines=lines, stamp=stamp)
    return [Plots((Plot(title, svg, DEV_LABELS),))]


def _place(one: Tried, dialects: tuple[str, str]) -> tuple[float, float] | None:
    x, y = (one.measures[name].agreement if name in one.measures else None for name in dialects)
    return None if x is None or y is None else (x, y)
