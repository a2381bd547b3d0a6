"""The command `review` and its options."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

MAKING, ADDING, SERVING = "Where there is no review yet", "Instead of serving", "Serving"


def review(
    source: Annotated[
        str, typer.Argument(help="A run, a file of items or of judgments, or a published set.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="The review's folder; default beside the source.")
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Who owns it; asked in the browser where left out.",
                     rich_help_panel=SERVING),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Another address than loopback needs links.",
                          rich_help_panel=SERVING),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: any that is free.", rich_help_panel=SERVING),
    ] = 8765,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page in a browser.",
                           rich_help_panel=SERVING),
    ] = True,
    dialect: Annotated[
        str | None,
        typer.Option(help="In which people judge, by its name or as a YAML file; a run of the "
                     "bias task has one.", rich_help_panel=MAKING),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="Splits of a run; default test and held_out.", rich_help_panel=MAKING),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of published data.", rich_help_panel=MAKING),
    ] = None,
    overlap: Annotated[
        int | None, typer.Option(min=1, help="How many people answer each item (1).",
                                 rich_help_panel=MAKING),
    ] = None,
    calibration: Annotated[
        int | None, typer.Option(min=0, help="Begin with so many items whose verdict is known.",
                                 rich_help_panel=MAKING),
    ] = None,
    repeats: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of one's items that come once more.",
                                   rich_help_panel=MAKING),
    ] = None,
    queue: Annotated[
        Literal["stratified", "active"] | None,
        typer.Option(help="Every stratum in its share, or rather where judges disagree.",
                     rich_help_panel=MAKING),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Of every draw (11).", rich_help_panel=MAKING)
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Tell how far it has come.", rich_help_panel=ADDING)
    ] = False,
    export: Annotated[
        bool, typer.Option("--export", help="Write the files.", rich_help_panel=ADDING)
    ] = False,
    new_annotator: Annotated[
        str | None, typer.Option(help="Add somebody, and print their link.",
                                 rich_help_panel=ADDING),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(help="Of a new annotator: label (default), adjudicate, owner.",
                     rich_help_panel=ADDING),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The new annotator is no person.",
                           rich_help_panel=ADDING),
    ] = False,
) -> None:  # fmt: skip
    """Label, adjudicate and see agreement, in a browser."""
    from judgesmith.cli.opened_review import Wanted
    from judgesmith.cli.reviewing import (
        Adding,
        Serving,
        add_command,
        export_command,
        review_command,
        status_command,
    )

    plan: dict[str, Any] = {
        "overlap": overlap, "calibration": calibration, "repeats": repeats, "queue": queue,
        "seed": seed,
    }  # fmt: skip
    given = {key: value for key, value in plan.items() if value is not None}
    wanted = Wanted(dialect, out, data, tuple(split or ()), given)
    if new_annotator is not None:
        add_command(source, wanted, Adding(new_annotator, tuple(role or ["label"]), simulated))
    elif status:
        status_command(source, wanted)
    elif export:
        export_command(source, wanted)
    else:
        review_command(source, wanted, Serving(name, host, port, open_browser))
