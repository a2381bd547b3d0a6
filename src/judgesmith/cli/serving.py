"""`serve`: a judge over HTTP."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import NamedTuple

from judgesmith.cli import show
from judgesmith.cli.abstaining import AbstainOptions, NotEnough, choose_abstaining
from judgesmith.cli.opening import open_told, tell_gated
from judgesmith.errors import JudgesmithError, RecipeError, RunError
from judgesmith.models.protocol import Mode
from judgesmith.web.listening import LOOPBACK, Address, is_loopback

NEEDS = (
    "serving needs packages that are not installed ({missing}). Install them: "
    "pip install 'judgesmith[serve]'"
)


class ServeOptions(NamedTuple):
    """What `judgesmith serve` was asked for besides the judge."""

    host: str
    port: int
    keys: Path | None
    open_to_all: bool
    queue: int
    batch: int
    window_ms: float
    body_mb: float
    log: Path | None
    log_rate: float
    log_redact: bool
    mode: Mode | None = None
    abstain: AbstainOptions = AbstainOptions()
    attached: bool = False


class NotPromisedError(JudgesmithError):
    """The risk that was asked for cannot be promised."""


def new_key_command(path: Path) -> None:
    """Make a key, keep its hash, and print the key: it is shown this once."""
    from judgesmith.serving.keys import new_key

    key = new_key(path)
    print(key)
    print(f"Its hash is in {path}. The key is shown this once; clients send it as", file=sys.stderr)
    print(f"`Authorization: Bearer {key[:8]}...`", file=sys.stderr)


def serve_command(
    folder: Path, options: ServeOptions, *, dialect: str | None, student: str | None
) -> bool:
    """Serve the judge of a run or of an exported folder until a signal.

    False, with nothing served, where the risk that was asked for cannot be promised.
    """
    try:
        from judgesmith.serving.app import Settings
        from judgesmith.serving.batching import Room
        from judgesmith.serving.desk import Opened
        from judgesmith.serving.judgment_log import JudgmentLog
        from judgesmith.serving.keys import Keys
        from judgesmith.serving.running import serve
    except ModuleNotFoundError as error:
        raise RunError(NEEDS.format(missing=error.name)) from None

    local = is_loopback(options.host)
    if not local and options.keys is None and not options.open_to_all:
        raise RecipeError(
            f"--host {options.host}: others can reach this address, so clients must have keys. "
            "Make one with `judgesmith serve --new-key FILE` and give `--keys FILE`, or say "
            "--open-to-all."
        )
    keys = None if options.keys is None else Keys.read(options.keys)
    kept = None
    if options.log is not None:
        kept = JudgmentLog(options.log, rate=options.log_rate, redact=options.log_redact)
    settings = Settings(
        room=Room(options.queue, options.batch, options.window_ms / 1000),
        body_bytes=round(options.body_mb * 1_000_000),
        keys=keys,
        hosts=LOOPBACK if local and keys is None else None,
        log=kept,
    )

    def opened() -> Opened:
        judge = open_told(folder, dialect=dialect, student=student, mode=options.mode)
        abstaining = choose_abstaining(judge, folder, options.abstain)
        if isinstance(abstaining, NotEnough):
            raise NotPromisedError(abstaining.told)
        tell_gated(folder, judge)
        return Opened(judge, abstaining)

    if options.attached:
        threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        serve(opened, Address(options.host, options.port), settings, _tell)
    except NotPromisedError as error:
        show.line(str(error))
        return False
    return True


def _end_with_input() -> None:
    """Stop as at a signal once whoever started this process has closed our input, or has died."""
    while os.read(sys.stdin.fileno(), 4096):  # a buffered read would hold a lock at the end
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _tell(line: str) -> None:
    """A line on standard output at once, for people and for what waits for the address."""
    print(line, flush=True)
