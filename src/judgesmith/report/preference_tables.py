"""Tables of preference training: how it was set up, and its numbers before and after."""

from collections.abc import Mapping

from judgesmith.report.blocks import Cell, Table, columns
from judgesmith.report.numbers import NOT_MEASURED, figure, whole
from judgesmith.report.setting_words import ACCUMULATION, Options, option_words, per_step

MEASURED = {
    "pairs": "pairs",
    "loss": "loss (ln 2 = .693 at the start)",
    "margin": "mean margin, beta times nats",
    "rewarded": "share with a margin above 0",
    "accuracy": "share whose chosen reply is likelier",
    "accuracy_per_token": "the same per token",
    "gap": "mean gap of chosen over rejected, nats",
    "settled": "share settled: the chosen has 99% of the chance",
    "chosen": "chosen replies, nats per token",
    "chosen_change": "the same, minus the SFT student's",
}


def preference_facts(config: Options, counts: Mapping[str, int]) -> Table:
    """How the preference training was set up."""
    count, unit = (
        (config["epochs"], "epoch") if config.get("epochs") else (config.get("steps") or 0, "step")
    )
    length = f"{count:g} {unit}{'' if count == 1 else 's'}"
    others = {k: v for k, v in (config.get("trl") or {}).items() if k != ACCUMULATION}
    rows = {
        "starts from, and is held to": "the SFT student",
        "beta": f"{config.get('beta'):g}, per nat",
        "trained": _trained(counts, config),
        "length": f"{length}, {per_step(config):,} pairs a step",
        "learning rate": f"{config.get('learning_rate'):g}",
        "pairs too long, left out": whole(counts.get("rows too long")),
        "other options of TRL": option_words(others),
    }
    return Table(
        "How it was trained",
        columns("", "value"),
        tuple((Cell(name, tone="strong"), Cell(value)) for name, value in rows.items() if value),
    )


def _trained(counts: Mapping[str, int], config: Options) -> str:
    peft, stored = config.get("peft"), config.get("quantize")
    everything = whole(counts.get("parameters"), absent="number unknown")
    if "trained parameters" not in counts:
        return f"all weights: {everything}"
    told = f"; {option_words(peft)}" if peft else ""
    four = f", stored in four bits ({stored})" if stored else ""
    return f"an adapter: {counts['trained parameters']:,} weights over {everything}{four}{told}"


def preference_table(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> Table:
    """The student's numbers on its pairs before the first step and after the last, by side."""
    sides = [side for side in ("train", "dev") if side in before or side in after]
    heads = [f"{side}, {when}" for side in sides for when in ("before", "after")]
    rows = []
    for name, told in MEASURED.items():
        cells = [
            _number(found.get(side, {}).get(name), name)
            for side in sides
            for found in (before, after)
        ]
        rows.append((Cell(told, tone="strong"), *cells))
    return Table(
        "Before the first step and after the last",
        columns("measure", *heads, numeric=heads),
        tuple(rows),
        note="Means and shares over the pairs of each side; no labels of the test are involved.",
    )


def _number(value: float | None, name: str) -> Cell:
    if value is None:
        return Cell(NOT_MEASURED, tone="soft")
    return Cell(f"{value:,.0f}" if name == "pairs" else figure(value, places=3))
