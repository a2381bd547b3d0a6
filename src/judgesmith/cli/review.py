"""The command `review` and its options."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def review(
    source: Annotated[Path, typer.Argument(help="A run, or a file of singles, pairs or lists.")],
    dialect: Annotated[
        str | None,
        typer.Option(help="How items are judged; default the bias task's, or the run's."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The review's folder; default beside the source.")
    ] = None,
    overlap: Annotated[int, typer.Option(min=1, help="How many people answer each item.")] = 1,
    calibration: Annotated[
        int, typer.Option(min=0, help="Begin with so many items whose verdict is known.")
    ] = 0,
    repeats: Annotated[
        float, typer.Option(min=0, max=1, help="Share of one's items that come once more.")
    ] = 0.0,
    queue: Annotated[
        Literal["stratified", "active"],
        typer.Option(help="Every stratum in turn, or the most telling first."),
    ] = "stratified",
    seed: Annotated[int, typer.Option(min=0, help="Of every draw.")] = 11,
    name: Annotated[
        str | None, typer.Option(help="Who owns it; asked in the browser where left out.")
    ] = None,
    host: Annotated[str, typer.Option(help="Another address than loopback needs links.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8765,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.")
    ] = True,
) -> None:
    """Label, adjudicate and see agreement, in a browser."""
    from judgesmith.cli.reviewing import ReviewOptions, review_command

    options = ReviewOptions(
        dialect, out, overlap, calibration, repeats, queue, seed, name, host, port, open_browser
    )
    review_command(source, options)
