"""Commands, options, and exit codes."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from judgesmith.errors import JudgesmithError

app = typer.Typer(
    name="judgesmith",
    help="Build LLM judges that can be trusted: trained, measured, gated, reported.",
    epilog="Exit codes: 0 done (gate: pass), 1 gate failed, 2 error, 3 gate: not enough evidence.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Run = Annotated[Path, typer.Argument(help="A run folder, made by `judgesmith run`.")]
ERROR = 2
GATE_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


@app.command()
def run(
    recipe: Annotated[str, typer.Argument(help="A shipped recipe's name, or a YAML file.")],
    run_folder: Annotated[
        Path | None, typer.Option("--run", help="Where to work; default runs/NAME.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Stop after this stage.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a value: sft.steps=200.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder for the recipe's relative paths.")
    ] = None,
) -> None:
    """Run a recipe: every stage that is not fresh, then the report. Resumes after a kill."""
    from judgesmith.cli.running import run_command

    run_command(recipe, run_folder, until, tuple(set_ or ()), data)


@app.command()
def status(folder: Run) -> None:
    """Show each stage: fresh, stale or partial, counts in, out and dropped, cost and time."""
    from judgesmith.cli.running import status_command

    status_command(folder)


@app.command()
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this recipe, to copy and edit.")] = None,
) -> None:
    """List the shipped recipes, or print one."""
    from judgesmith.cli.running import recipes_command

    recipes_command(name)


@app.command()
def judge(
    pairs: Annotated[Path, typer.Argument(help="JSON Lines: question, response_a, response_b.")],
    judge_run: Annotated[Path, typer.Option("--judge", help="The run whose student judges.")],
    out: Annotated[
        Path | None, typer.Option(help="Where verdicts go; default PAIRS.judged.jsonl.")
    ] = None,
) -> None:
    """Judge new pairs with a run's student, in both orders."""
    from judgesmith.cli.judging import judge_command

    judge_command(pairs, judge_run, out)


@app.command()
def evaluate(
    folder: Run,
    pairs: Annotated[
        Path | None, typer.Argument(help="Measure on these pairs, which carry a `verdict`.")
    ] = None,
) -> None:
    """Show how good a run's judge is, on its test items or on your own labelled pairs."""
    from judgesmith.cli.judging import evaluate_command

    evaluate_command(folder, pairs)


@app.command()
def gate(
    folder: Run,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another bound: kappa=0.7.")
    ] = None,
) -> None:
    """Decide whether the judge may be used; the exit code is the verdict."""
    from judgesmith.cli.judging import gate_command

    raise typer.Exit(GATE_CODES[gate_command(folder, tuple(set_ or ()))])


@app.command()
def audit(folder: Run) -> None:
    """Show what the audits found in a run's data; exit 1 if any finding is an error."""
    from judgesmith.cli.judging import audit_command

    raise typer.Exit(1 if audit_command(folder) else 0)


@app.command()
def report(folder: Run) -> None:
    """Write the run's report again: HTML, Markdown and JSON."""
    from judgesmith.cli.running import report_command

    report_command(folder)


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2."""
    try:
        app()
    except JudgesmithError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(ERROR)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        sys.exit(ERROR)
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)
