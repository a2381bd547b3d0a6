"""What a merge takes from its inputs besides weights: how their base was stored, tie margins."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from judgesmith.backends.merging.result import MergeWarning
from judgesmith.backends.origin import read_origin
from judgesmith.models.pointwise import known_margins, write_margins

MARGIN_KEPT = "tie_margin_kept"


def carry_margins(inputs: Sequence[Path], out: Path) -> None:
    """Keep the inputs' tie margins in the merged folder; none where inputs differ on a dialect."""
    found = _margins(inputs)
    write_margins(out, {name: next(iter(told)) for name, told in found.items() if len(told) == 1})


def origin_warnings(inputs: Sequence[Path], names: Sequence[str]) -> Iterator[MergeWarning]:
    """What a merge does not know of its inputs' training and of the merged judge."""
    yield from _stored(inputs, names)
    for dialect, told in _margins(inputs).items():
        kept = f"the tie margin {next(iter(told)):.4g} is the input's, chosen for it alone"
        lost = f"the inputs have tie margins {sorted(told)}, so none was kept: equal scores tie"
        yield MergeWarning(
            kind=MARGIN_KEPT,
            message=f"dialect {_name_of(dialect, inputs)}: {kept if len(told) == 1 else lost}; a "
            "merged judge spreads its scores differently.",
            remedy="Merge in a recipe with merge.search, which measures the margin on dev.",
        )  # fmt: skip


def _stored(inputs: Sequence[Path], names: Sequence[str]) -> Iterator[MergeWarning]:
    known = [(name, read_origin(folder)) for name, folder in zip(names, inputs, strict=True)]
    stored = {name: origin.quantize for name, origin in known if origin is not None}
    if len(set(stored.values())) > 1:
        told = ", ".join(
            f"{name} {f'in four bits ({how})' if how else 'as it is'}"
            for name, how in stored.items()
        )
        yield MergeWarning(
            kind="mixed_bases",
            message=f"the judges were trained over their base stored differently: {told}. A change "
            "that was learned over four bits also makes up for their rounding, and the merged "
            "judge is asked over the base as it is.",
            remedy="Train all of them with the same `quantize`, or see on dev what the merge "
            "keeps.",
        )  # fmt: skip


def _margins(inputs: Sequence[Path]) -> dict[str, set[float]]:
    """The tie margins of each dialect, by its hash."""
    found: dict[str, set[float]] = {}
    for folder in inputs:
        origin = read_origin(folder)
        known = known_margins(folder, origin.dialects.values() if origin is not None else ())
        for dialect, margin in known.items():
            found.setdefault(dialect, set()).add(margin)
    return found


def _name_of(dialect: str, inputs: Sequence[Path]) -> str:
    for folder in inputs:
        origin = read_origin(folder)
        for name, digest in origin.dialects.items() if origin is not None else ():
            if digest == dialect:
                return repr(name)
    return dialect
