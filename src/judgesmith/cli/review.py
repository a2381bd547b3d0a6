"""The command `review` and its options."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

Source = Annotated[
    str, typer.Argument(help="A run, a file of items or of judgments, or a published set.")
]
Out = Annotated[Path | None, typer.Option(help="The review's folder; default beside the source.")]
Name = Annotated[str | None, typer.Option(help="Who owns it; asked in the browser where left out.")]
Host = Annotated[str, typer.Option(help="Another address than loopback needs links.")]
Port = Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)]
Opens = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")]
Dialect = Annotated[
    str | None,
    typer.Option(help="How people judge: a name or a YAML file; a bias run has one."),
]  # fmt: skip
Splits = Annotated[
    list[str] | None, typer.Option(help="Splits of a run; default test and held_out.")
]
Data = Annotated[Path | None, typer.Option(help="Folder of published data.")]
Overlap = Annotated[int | None, typer.Option(help="How many people answer each item (1).", min=1)]
Calibration = Annotated[
    int | None,
    typer.Option(help="Begin with so many items whose verdict is known.", min=0),
]
Repeats = Annotated[
    float | None,
    typer.Option(help="Share of one's items that come once more.", min=0, max=1),
]
Queue = Annotated[
    Literal["stratified", "active"] | None,
    typer.Option(help="Every stratum in its share, or rather where judges disagree."),
]
Seed = Annotated[int | None, typer.Option(help="Of every draw (11).", min=0)]
Add = Annotated[bool, typer.Option("--add", help="Take in what is new in the source.")]
Status = Annotated[bool, typer.Option("--status", help="Tell how far it has come.")]
Export = Annotated[bool, typer.Option("--export", help="Write the files.")]
NewAnnotator = Annotated[str | None, typer.Option(help="Add somebody, and print their link.")]
NewLink = Annotated[
    str | None, typer.Option(help="Print a new link for somebody; theirs before ends.")
]
Roles = Annotated[
    list[str] | None,
    typer.Option(help="Of a new annotator: label (default), adjudicate, owner."),
]
Simulated = Annotated[bool, typer.Option("--simulated", help="The new annotator is no person.")]
Look = Annotated[bool, typer.Option("--look", help="Only browse the run: no labelling.")]


def review(
    source: Source, out: Out = None, name: Name = None, host: Host = "127.0.0.1",
    port: Port = 8765, open_browser: Opens = True, dialect: Dialect = None, split: Splits = None,
    data: Data = None, overlap: Overlap = None, calibration: Calibration = None,
    repeats: Repeats = None, queue: Queue = None, seed: Seed = None, add: Add = False,
    status: Status = False, export: Export = False, new_annotator: NewAnnotator = None,
    new_link: NewLink = None, role: Roles = None, simulated: Simulated = False,
    look: Look = False,
) -> None:  # fmt: skip
    """Label, adjudicate and see agreement, in a browser."""
    if look:
        from judgesmith.cli.looking import look_command

        look_command(Path(source), host, port, open_browser=open_browser)
        return
    from judgesmith.cli import reviewing
    from judgesmith.cli.opened_review import Wanted

    plan: dict[str, Any] = {
        "overlap": overlap, "calibration": calibration, "repeats": repeats, "queue": queue,
        "seed": seed,
    }  # fmt: skip
    given = {key: value for key, value in plan.items() if value is not None}
    wanted = Wanted(dialect, out, data, tuple(split or ()), given, add)
    if new_annotator is not None:
        adding = reviewing.Adding(new_annotator, tuple(role or ["label"]), simulated)
        reviewing.add_command(source, wanted, adding)
    elif new_link is not None:
        reviewing.link_command(source, wanted, new_link)
    elif status:
        reviewing.status_command(source, wanted)
    elif export:
        reviewing.export_command(source, wanted)
    else:
        serving = reviewing.Serving(name, host, port, open_browser)
        reviewing.review_command(source, wanted, serving)
