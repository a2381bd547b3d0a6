"""The command `merge` and its options."""

from pathlib import Path
from typing import Annotated

import typer


def merge(
    judges: Annotated[
        list[str],
        typer.Argument(help="Two or more adapters, or models, of one base; or one YAML file."),
    ],
    out: Annotated[Path, typer.Option(help="The new folder.")],
    method: Annotated[
        str | None,
        typer.Option(help="nuslerp, linear, task_arithmetic, ties, dare_linear or dare_ties."),
    ] = None,
    weights: Annotated[str | None, typer.Option(help="One per judge: 0.3,0.7.")] = None,
    base: Annotated[str | None, typer.Option(help="The model that all were trained from.")] = None,
    into: Annotated[
        str | None, typer.Option(help="Lay merged adapters over this model's weights.")
    ] = None,
    rank: Annotated[int | None, typer.Option(min=1, help="Compress to this rank.")] = None,
    density: Annotated[
        str | None, typer.Option(help="ties, dare: share of entries kept, or one per judge.")
    ] = None,
    scale: Annotated[float | None, typer.Option(help="Factor on the merged delta.")] = None,
    granularity: Annotated[
        str | None, typer.Option(help="nuslerp: one angle per tensor, row or column.")
    ] = None,
    missing: Annotated[
        str | None, typer.Option(help="nuslerp, linear: a delta that is zero is absent, or zero.")
    ] = None,
    normalize: Annotated[
        bool | None, typer.Option(help="Divide by the sum of the weights.", show_default=False)
    ] = None,
    rescale: Annotated[
        str | None, typer.Option(help="dare: inverse_density, norm (as mergekit) or none.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="float32, bfloat16 or float16.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of what DARE drops.")] = None,
) -> None:
    """Merge judges of one base: adapters into an adapter, models into a model."""
    from judgesmith.cli.merging import MergeOptions, merge_command

    settings = {
        "kind": method, "weights": weights, "density": density, "scale": scale,
        "granularity": granularity, "missing": missing, "normalize": normalize, "rescale": rescale,
    }  # fmt: skip
    merge_command(judges, settings, MergeOptions(out, base, into, rank, dtype, seed))
