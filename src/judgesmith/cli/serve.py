"""The command `serve` and its options."""

from pathlib import Path
from typing import Annotated

import typer

from judgesmith.cli.options import UNDECIDED, AbstainDelta, Dialect, Mode, Student


def serve(
    folder: Annotated[
        Path | None, typer.Argument(help="A run, or the folder of an exported judge.")
    ] = None,
    host: Annotated[str, typer.Option(help="Another address than loopback needs --keys.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free.")] = 8000,
    keys: Annotated[
        Path | None, typer.Option(help="Clients need a key; this file holds their hashes.")
    ] = None,
    new_key: Annotated[
        Path | None, typer.Option(help="Make a key, add its hash to this file, print it, and end.")
    ] = None,
    open_to_all: Annotated[
        bool, typer.Option("--open-to-all", help="No keys on an address that others can reach.")
    ] = False,
    attached: Annotated[
        bool, typer.Option("--attached", help="End where standard input is closed, too.")
    ] = False,
    dialect: Dialect = None,
    student: Student = None,
    mode: Mode = None,
    abstain_risk: Annotated[
        float | None, typer.Option(help="Withhold verdicts so that at most this share is wrong.")
    ] = None,
    abstain_delta: AbstainDelta = None,
    queue: Annotated[int, typer.Option(min=1, help="Rows that may wait; more are told 503.")] = 256,
    batch: Annotated[int, typer.Option(min=1, help="Rows judged at once.")] = 32,
    window_ms: Annotated[
        float, typer.Option(min=0, help="How long a batch gathers where the judge is idle.")
    ] = 5.0,
    body_mb: Annotated[float, typer.Option(min=0.001, help="Largest body; more is 413.")] = 1.0,
    log: Annotated[
        Path | None, typer.Option(help="Keep judgments here, one line of JSON each.")
    ] = None,
    log_rate: Annotated[float, typer.Option(min=0, max=1, help="Share of requests kept.")] = 1.0,
    log_redact: Annotated[
        bool, typer.Option("--log-redact", help="Hashes in place of texts in the log.")
    ] = False,
) -> None:
    """Serve a judge over HTTP: its own API, OpenAI's, a page to try it, and metrics."""
    from judgesmith.cli.abstaining import AbstainOptions
    from judgesmith.cli.serving import ServeOptions, new_key_command, serve_command

    if new_key is not None:
        new_key_command(new_key)
        return
    if folder is None:
        raise typer.BadParameter("expected a run or the folder of an exported judge, found none")
    options = ServeOptions(
        host, port, keys, open_to_all, queue, batch, window_ms, body_mb, log, log_rate, log_redact,
        mode, AbstainOptions(abstain_risk, abstain_delta), attached,
    )  # fmt: skip
    if not serve_command(folder, options, dialect=dialect, student=student):
        raise typer.Exit(UNDECIDED)
