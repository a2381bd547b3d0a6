"""Commands, options, and exit codes."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from judgesmith.cli.merge import merge
from judgesmith.cli.options import (
    ERROR,
    GATE_CODES,
    INTERRUPTED,
    UNDECIDED,
    AbstainDelta,
    Dialect,
    Mode,
    Run,
    Student,
)
from judgesmith.cli.review import review
from judgesmith.cli.serve import serve
from judgesmith.errors import JudgesmithError, RecipeError

app = typer.Typer(
    name="judgesmith",
    help="Build LLM judges that can be trusted: trained, measured, gated, reported.",
    epilog="Exit codes: 0 done (gate: pass), 1 gate failed or audit error, 2 mistake, "
    "3 not decided (gate: not enough evidence; audit: only warnings).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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
    budget_usd: Annotated[
        float | None,
        typer.Option(min=0, help="The most that the run's calls may cost, earlier ones included."),
    ] = None,
    rehearse: Annotated[
        bool,
        typer.Option("--rehearse", help="Simulated models, a tiny student, no key; no result."),
    ] = False,
) -> None:
    """Run a recipe: every stage that is not fresh, then the report. Resumes after a kill."""
    from judgesmith.cli.running import RunOptions, run_command

    options = RunOptions(until, tuple(set_ or ()), data, budget_usd, rehearse)
    run_command(recipe, run_folder, options)


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
    rows: Annotated[
        Path,
        typer.Argument(help="JSONL, CSV or Parquet: question, response_a, response_b."),
    ],
    folder: Annotated[
        Path, typer.Option("--judge", help="A run, or a folder that `judgesmith export` made.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="JSONL, CSV or Parquet for verdicts; default ROWS.judged.jsonl."),
    ] = None,
    dialect: Dialect = None,
    student: Annotated[
        str | None, typer.Option(help="Another student of the run: student, after DPO, merged...")
    ] = None,
    mode: Mode = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Judge the first rows only.")] = None,
    abstain_risk: Annotated[
        float | None, typer.Option(help="Give verdicts only where at most this share is wrong.")
    ] = None,
    abstain_delta: AbstainDelta = None,
    second: Annotated[
        Path | None, typer.Option(help="Another judge, for the rows that the first abstains on.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="transformers; llama.cpp or llama.cpp:q8_0 of an exported folder; ray, or "
            "ray:N for N workers; or the URL of a server that holds its weights: "
            "http://HOST:PORT/v1#MODEL."
        ),
    ] = None,
) -> None:
    """Judge new pairs in both orders, or each response alone. Goes on where it was killed."""
    from judgesmith.cli.abstaining import AbstainOptions
    from judgesmith.cli.judging import JudgeOptions, judge_command

    abstain = AbstainOptions(abstain_risk, abstain_delta, second)
    options = JudgeOptions(out, dialect, student, mode, limit, abstain, engine)
    if not judge_command(rows, folder, options):
        raise typer.Exit(UNDECIDED)


@app.command()
def calibrate(
    folder: Run,
    labelled: Annotated[
        Path | None,
        typer.Argument(help="Labelled rows that chose nothing yet; default the run's dev items."),
    ] = None,
    dialect: Dialect = None,
    student: Student = None,
    mode: Annotated[
        Literal["rationale", "fast"] | None,
        typer.Option(help="The mode that it is to judge in; each has a calibration of its own."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of folds, resampling, items drawn.")] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Even by few labels, or such as seem turned about.")
    ] = False,
) -> None:
    """Make a judge's confidence hold on labels, and keep the threshold evidence with the run."""
    from judgesmith.cli.calibrating import calibrate_command

    calibrate_command(
        folder, labelled, dialect=dialect, student=student, mode=mode, seed=seed, replace=replace
    )


@app.command()
def rank(
    files: Annotated[
        list[Path],
        typer.Argument(help="With --judge: question, model, text. Without: what `judge` wrote."),
    ],
    folder: Annotated[
        Path | None, typer.Option("--judge", help="The judge: a run, or an exported folder.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="Judge every system against this one only.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for verdicts and ranking.")] = Path("ranking"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples.")] = 10_000,
) -> None:
    """Rank systems: win rates, Bradley-Terry strengths with intervals, paired tests."""
    from judgesmith.cli.ranking import RankOptions, rank_command

    rank_command(files, RankOptions(folder, baseline, out, seed, resamples))


Mapping = Annotated[
    Path | None,
    typer.Option(help="YAML that says which column holds what; not needed for our own columns."),
]
Data = Annotated[Path | None, typer.Option(help="Folder with a benchmark's files.")]
Labels = Annotated[
    str | None, typer.Option(help="What to measure against: majority, key, or one name.")
]
Judges = Annotated[
    list[str] | None, typer.Option("--judge", help="Measure this judge only; may be repeated.")
]
Out = Annotated[Path | None, typer.Option(help="Folder for the report.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the resampling.")]
Resamples = Annotated[int, typer.Option(min=100, help="Bootstrap resamples.")]


@app.command()
def evaluate(
    targets: Annotated[
        list[str],
        typer.Argument(help="A run; a run and labelled pairs; files; or a benchmark's name."),
    ],
    mapping: Mapping = None,
    data: Data = None,
    labels: Labels = None,
    judges: Judges = None,
    out: Out = None,
    seed: Seed = 0,
    resamples: Resamples = 10_000,
    audit: Annotated[bool, typer.Option(help="Audit the files too.")] = True,
) -> None:
    """Measure judges: a run's, or any whose judgments and labels are in files."""
    from judgesmith.cli.measuring import evaluate_command
    from judgesmith.pipeline.audit_sources import Reading
    from judgesmith.pipeline.measure_files import Asked

    asked = Asked(labels=labels, judges=tuple(judges or ()), seed=seed, resamples=resamples)
    evaluate_command(targets, Reading(mapping=mapping, data=data), out, asked, audit=audit)


@app.command()
def compare(
    targets: Annotated[list[str], typer.Argument(help="Runs, files, names of benchmarks.")],
    mapping: Mapping = None,
    data: Data = None,
    labels: Labels = None,
    judges: Judges = None,
    out: Out = None,
    seed: Seed = 0,
    resamples: Resamples = 10_000,
) -> None:
    """Compare judges on the items that they share: paired tests, one table, one page."""
    from judgesmith.cli.measuring import compare_command
    from judgesmith.pipeline.measure_files import Asked

    asked = Asked(labels=labels, judges=tuple(judges or ()), seed=seed, resamples=resamples)
    compare_command(targets, mapping, data, out, asked)


@app.command()
def benchmarks(
    name: Annotated[str | None, typer.Argument(help="Show this one in full.")] = None,
    data: Annotated[Path | None, typer.Option(help="Count its files below this folder.")] = None,
) -> None:
    """List the published judgments and labels that can be read, with their licences."""
    from judgesmith.cli.measuring import benchmarks_command

    benchmarks_command(name, data)


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
def audit(
    targets: Annotated[
        list[str],
        typer.Argument(help="Runs, files, folders, names of benchmarks; several are compared."),
    ],
    mapping: Mapping = None,
    data: Data = None,
    train: Annotated[
        list[str] | None, typer.Option("--train", help="What a judge learned from; repeatable.")
    ] = None,
    names: Annotated[
        str | None,
        typer.Option(help="What a verdict in preference rows names: better or worse."),
    ] = None,
    out: Out = None,
) -> None:
    """Show what the data give away; exit 0 nothing above info, 3 only warnings, 1 an error."""
    from judgesmith.cli.auditing import audit_command, direction
    from judgesmith.pipeline.audit_sources import Reading

    reading = Reading(mapping=mapping, data=data, names=direction(names))
    raise typer.Exit(audit_command(targets, train or (), reading, out))


app.command()(merge)


@app.command()
def cost(
    targets: Annotated[
        list[str] | None, typer.Argument(help="A cost file (YAML), a run, or both.")
    ] = None,
    example: Annotated[
        bool, typer.Option("--example", help="Print a cost file to copy and edit.")
    ] = False,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="What if: judgments_per_month=50000.")
    ] = None,
    out: Annotated[
        list[Path] | None, typer.Option(help="Write it to a file, .json or .md; repeatable.")
    ] = None,
    draws: Annotated[int, typer.Option(min=100, max=1_000_000, help="Draws.")] = 10_001,
    seed: Seed = 0,
) -> None:
    """Say what a judgment costs by API and by a judge of one's own, and when that pays."""
    from judgesmith.cli.costing import cost_command, example_command

    if example:
        example_command()
        return
    cost_command(targets or [], tuple(set_ or ()), tuple(out or ()), draws, seed)


@app.command()
def export(
    folder: Run,
    checkpoint: Annotated[
        str | None, typer.Option(help="Which: sft, dpo, merge, or names of sft.judges.")
    ] = None,
    gguf: Annotated[
        str | None, typer.Option(help="GGUF files for llama.cpp: f16,q8_0,q4_k_m.")
    ] = None,
    merged: Annotated[
        bool | None, typer.Option("--merged/--adapter", help="An adapter laid over its base.")
    ] = None,
    dataset: Annotated[
        bool | None, typer.Option("--dataset/--no-dataset", help="The run's data, with a card.")
    ] = None,
    ollama: Annotated[
        bool | None, typer.Option("--ollama/--no-ollama", help="A Modelfile for each GGUF file.")
    ] = None,
    vllm: Annotated[
        bool | None, typer.Option("--vllm/--no-vllm", help="docker-compose.yaml for vLLM.")
    ] = None,
    check: Annotated[
        bool | None, typer.Option("--check/--no-check", help="Is each form the same judge?")
    ] = None,
    served: Annotated[
        bool, typer.Option("--served", help="Check it behind `judgesmith serve`, too.")
    ] = False,
    max_kappa_loss: Annotated[
        float | None, typer.Option(min=0, help="Most kappa that a form may lose.")
    ] = None,
    push: Annotated[
        str | None, typer.Option(help="OWNER/NAME on the hub; lists what would go there.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="With --push: upload it now.")] = False,
    public: Annotated[
        bool, typer.Option("--public", help="With --push: a new repository is for everybody.")
    ] = False,
) -> None:
    """Write a judge's folder and files for others; exit 1 if a form is not the same judge."""
    from judgesmith.cli.exporting import ExportOptions, Pushing, export_command

    flags = {"merged": merged, "dataset": dataset, "ollama": ollama, "vllm": vllm, "check": check}
    options = ExportOptions(checkpoint, gguf, flags, max_kappa_loss, served)
    if push is None and (yes or public):
        raise RecipeError(f"{'--yes' if yes else '--public'}: expected --push OWNER/NAME beside it")
    pushing = None if push is None else Pushing(push, now=yes, public=public)
    outcome = export_command(folder, options, pushing)
    raise typer.Exit(GATE_CODES["pass" if outcome is None else outcome])


app.command()(serve)
app.command()(review)


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
        where = "" if error.filename is None else f"{error.filename}: "
        print(f"error: {where}{error.strerror or error}", file=sys.stderr)
        sys.exit(ERROR)
    except SystemExit as ended:  # which typer makes of an interrupt, without a word
        if ended.code == INTERRUPTED:
            print("stopped; run the same command again to go on", file=sys.stderr)
        raise
