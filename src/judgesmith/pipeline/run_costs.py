"""What a run measured of its own cost, and where a cost file leaves room for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.costs.inputs import CostInputs
from judgesmith.errors import RunError
from judgesmith.pipeline.recipes import open_run
from judgesmith.pipeline.report_run import read_money
from judgesmith.records import AnnotatorKind
from judgesmith.report.costs import MeasuredRow
from judgesmith.report.money import Money, MoneyLine
from judgesmith.report.numbers import duration, money
from judgesmith.runs.endpoint import Endpoint, Price
from judgesmith.runs.jsonl import read_rows
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import read_manifest

TRAINING = ("sft", "dpo", "merge")
HOUR_S = 3600.0
LABELS, JUDGMENTS = "labels/labels.jsonl", "evaluate/judgments.jsonl"


class Fact(NamedTuple):
    """One thing that was measured: `at` is its place in a cost file, None for what has none."""

    at: str | None
    value: Any
    row: MeasuredRow


@dataclass
class Measured:
    """What a run measured; `origins` tells afterwards which of it stands in for what a file lacks.

    A section of the file that is not there at all is filled in only where that needs nothing
    else: hours of training need a machine, labels by people a wage.
    """

    facts: tuple[Fact, ...] = ()
    origins: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> tuple[MeasuredRow, ...]:
        """All of it, for people."""
        return tuple(fact.row for fact in self.facts)

    def fill(self, tree: dict[str, Any]) -> None:
        """Add to the plain values of a cost file what it leaves out."""
        for fact in self.facts:
            if fact.at is None:
                continue
            *parents, last = fact.at.split(".")
            place: Any = tree
            for part in parents:
                if part not in place and part in ("once", "tokens", "teacher"):
                    place[part] = {}
                place = place.get(part)
                if not isinstance(place, dict):
                    break
            else:
                if last not in place and _has_room(fact.at, place):
                    place[last] = fact.value
                    self.origins |= _places(fact)

    def notes(self, inputs: CostInputs) -> Iterator[str]:
        """What the run spent that the file does not count."""
        once = inputs.once
        missing = {"once.people.labels": once.people, "once.training.hours": once.training}
        for fact in self.facts:
            if fact.at in missing and missing[fact.at] is None:
                section = fact.at.rpartition(".")[0]
                yield (
                    f"the run has {fact.row.name} ({fact.row.value}), which the file does not "
                    f"count: add `{section}`."
                )


def _has_room(at: str, place: dict[str, Any]) -> bool:
    """Whether a value may be added beside what stands there."""
    return at != "once.teacher.usd" or not place


def _places(fact: Fact) -> dict[str, str]:
    """Where a fact's numbers stand in the checked file."""
    origin = f"the run, {fact.row.origin}"
    if fact.at == "apis":
        return {
            f"apis.{name}.price.{part}": origin
            for name, api in fact.value.items()
            for part in api["price"]
        }
    return {str(fact.at): origin}


def measure_run(folder: Path) -> Measured:
    """Read what a run measured: money and tokens by its ledger, hours, labels, calls.

    Raises RunError where the folder is no run or that of a rehearsal, DataError where one of its
    files is damaged.
    """
    run_dir, _ = open_run(folder)
    if run_dir.header.rehearsed:
        raise RunError(
            f"{folder}: a rehearsal. Its hours, tokens and calls are those of simulated models and "
            "a tiny student; expected a real run, or a cost file alone."
        )
    found: list[Fact] = []
    for read in (_training, _people, _judging, _bought, _prices):
        found += read(run_dir)
    return Measured(tuple(found))


def _training(run_dir: RunDir) -> Iterator[Fact]:
    manifests = {stage: read_manifest(run_dir.file(stage)) for stage in TRAINING}
    seconds = {stage: found.wall_s for stage, found in manifests.items() if found is not None}
    if seconds:
        total = sum(seconds.values())
        row = MeasuredRow(
            name="training", value=duration(total),
            origin=", ".join(f"{stage}/manifest.json" for stage in seconds),
        )  # fmt: skip
        yield Fact("once.training.hours", total / HOUR_S, row)


def _people(run_dir: RunDir) -> Iterator[Fact]:
    path = run_dir.file(LABELS)
    count = 0
    for _, label in read_rows(path) if path.exists() else ():
        if label.get("annotator_kind") == AnnotatorKind.PERSON:
            count += max(1, len(label.get("judgment_ids", ())))
    if count:
        row = MeasuredRow(name="labels by people", value=f"{count:,}", origin=LABELS)
        yield Fact("once.people.labels", count, row)


def _judging(run_dir: RunDir) -> Iterator[Fact]:
    """Calls and tokens of the run's own students in `evaluate`, where no other model was asked."""
    manifest, path = read_manifest(run_dir.file("evaluate")), run_dir.file(JUDGMENTS)
    if manifest is None or manifest.report.calls == 0 or not path.exists():
        return
    told, origin = manifest.report, "evaluate/manifest.json"
    shown = [(row.get("judge"), row.get("item_id")) for _, row in read_rows(path)]
    if told.calls >= len(shown):  # fewer where a kill lost count
        calls = told.calls / len(set(shown))
        row = MeasuredRow(name="calls for a judgment", value=f"{calls:.3g}", origin=origin)
        yield Fact("calls_per_judgment", calls, row)
    for name, tokens in (("prompt", told.prompt_tokens), ("reply", told.completion_tokens)):
        what = f"{name} tokens of a call, as the judge counts them"
        value = f"{tokens / told.calls:,.1f}"
        yield Fact(None, None, MeasuredRow(name=what, value=value, origin=origin))


def _bought(run_dir: RunDir) -> Iterator[Fact]:
    spent = read_money(run_dir)
    if spent is None:
        return
    origin = "ledger.sqlite"
    yield from _paid(spent, origin)
    paid = [line for line in spent.lines if line.paid_calls]
    if paid:
        most = max(paid, key=lambda line: (line.stage == "labels", line.paid_calls))
        yield from _tokens(most, f"{origin}: {most.paid_calls:,} paid calls of {most.model}")


def _paid(spent: Money, origin: str) -> Iterator[Fact]:
    high = spent.paid_usd + spent.open_usd
    if high:
        value = spent.paid_usd if not spent.open_usd else {"low": spent.paid_usd, "high": high}
        words = money(spent.paid_usd) + (
            f" (possibly {money(spent.open_usd)} more)" if spent.open_usd else ""
        )
        yield Fact(
            "once.teacher.usd", value, MeasuredRow(name="paid calls", value=words, origin=origin)
        )


def _tokens(line: MoneyLine, origin: str) -> Iterator[Fact]:
    for name, tokens in (("prompt", line.prompt_tokens), ("reply", line.completion_tokens)):
        mean = tokens / line.paid_calls
        what = f"{name} tokens of a call, as the API counts them"
        row = MeasuredRow(name=what, value=f"{mean:,.1f}", origin=origin)
        yield Fact(f"tokens.{name}", mean, row)


def _prices(run_dir: RunDir) -> Iterator[Fact]:
    """The recipe's dated prices, as APIs of the same names."""
    found = {
        name: {"price": _price(model.price, model)}
        for name, model in run_dir.header.models.items()
        if isinstance(model.price, Price)
    }
    if found:
        days = ", ".join(f"{name} as of {api['price']['as_of']}" for name, api in found.items())
        row = MeasuredRow(name="prices of APIs", value=days, origin="recipe.yaml")
        yield Fact("apis", found, row)


def _price(price: Price, model: Endpoint) -> dict[str, Any]:
    kept: Callable[[str], Any] = price.model_dump(exclude_none=True).get
    parts = {name: kept(name) for name in ("input", "output", "cached_input")}
    parts["batch"] = price.batch if model.batch is not None or price.batch < 1 else None
    stated = {name: value for name, value in parts.items() if value is not None}
    return {**stated, "as_of": price.as_of, "source": f"the run's recipe, for {model.model}"}
