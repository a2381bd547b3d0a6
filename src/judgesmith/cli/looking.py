"""`review RUN --look`: a run shown in the browser, read only."""

import webbrowser
from pathlib import Path

from judgesmith.errors import RecipeError
from judgesmith.pipeline.recipes import open_run


def look_command(folder: Path, host: str, port: int, *, open_browser: bool) -> None:
    """Index a run where that is needed, and serve its pages until a signal."""
    from judgesmith.review.looking.serving import serve_look
    from judgesmith.web.listening import Address, is_loopback

    if not is_loopback(host):
        raise RecipeError(
            f"--host {host}: --look is for this machine alone, as it asks nobody who they are. "
            "Leave --host out, or open the review without --look, where owners see the same pages."
        )
    run_dir, _ = open_run(folder)

    def tell(url: str) -> None:
        print(f"Look at {run_dir.header.name}: {url}. Ctrl-C ends it.", flush=True)
        if open_browser:
            webbrowser.open(url)

    serve_look(run_dir, Address(host, port), tell)
