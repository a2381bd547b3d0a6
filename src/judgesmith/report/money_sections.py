"""The section on money: calls and dollars by stage and model, and the prices they rest on."""

from collections.abc import Sequence

from judgesmith.report.blocks import Block, Cell, Section, Table, Text, columns
from judgesmith.report.money import Money, MoneyLine, PriceRow, money_sentence
from judgesmith.report.numbers import figure, money

BY_STAGE = "Calls, tokens and dollars by stage and model"


def money_section(found: Money | None) -> Section:
    """Everything that the ledger says; without a ledger there is no section."""
    if found is None:
        return Section("money", "Money")
    said = money_sentence(found)
    blocks: list[Block] = [Text(f"{said[:1].upper()}{said[1:]}."), money_table(found)]
    blocks += price_blocks(found.prices)
    return Section("money", "Money", tuple(blocks))


def money_table(found: Money) -> Table:
    """One row per stage and model, and their sum."""
    foreseen = any(line.expected_usd is not None for line in found.lines)
    lines = found.lines if len(found.lines) == 1 else (*found.lines, _sum(found))
    spent = (*(("expected",) if foreseen else ()), "paid", "possibly paid")
    heads = ("from the cache", "calls", "prompt tokens", "reply tokens", *spent)
    return Table(
        BY_STAGE,
        columns("stage", "model", *heads, numeric=heads),
        tuple(
            (
                Cell(line.stage, tone="strong"),
                Cell(line.model),
                *_counts(line),
                *([_expected(line)] if foreseen else []),
                Cell(money(line.paid_usd)),
                Cell(money(line.possibly_paid_usd)),
            )
            for line in lines
        ),
        note=_note(found),
    )


def _counts(line: MoneyLine) -> tuple[Cell, ...]:
    kinds = (
        (line.paid_calls, "answered"),
        (line.free_calls, "refused"),
        (line.unsure_calls, "unsure"),
        (line.in_flight_calls, "in flight"),
    )
    parts = ((line.cached_tokens, "cached"), (line.cache_write_tokens, "written"))
    return (
        Cell(f"{line.hits:,}"),
        Cell(f"{line.calls:,}", aside=_listed(kinds)),
        Cell(f"{line.prompt_tokens:,}", aside=_listed(parts)),
        Cell(f"{line.completion_tokens:,}"),
    )


def _expected(line: MoneyLine) -> Cell:
    """What was expected before the first call, and the most that it could have come to."""
    if line.expected_usd is None or line.most_usd is None:
        return Cell("", tone="soft")
    return Cell(money(line.expected_usd), aside=f"at most {money(line.most_usd)}")


def _listed(counts: Sequence[tuple[int, str]]) -> str:
    return ", ".join(f"{count:,}\N{NO-BREAK SPACE}{kind}" for count, kind in counts if count)


def _sum(found: Money) -> MoneyLine:
    """All lines together; money is the ledger's own total, not a sum of rounded lines."""
    counted = [name for name, kind in MoneyLine.model_fields.items() if kind.annotation is int]
    sums = {name: sum(getattr(line, name) for line in found.lines) for name in counted}
    return MoneyLine(
        stage="all", model="", **sums, paid_usd=found.paid_usd,
        possibly_paid_usd=found.possibly_paid_usd,
        expected_usd=_known_sum([line.expected_usd for line in found.lines]),
        most_usd=_known_sum([line.most_usd for line in found.lines]),
    )  # fmt: skip


def _known_sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _note(found: Money) -> str:
    """Say what the columns mean, as far as this ledger has anything in them."""
    said = ["All commands of this run together. Tokens are of answered calls."]
    if any(line.expected_usd is not None for line in found.lines):
        said.append("What was expected was guessed before calls were made; it decides nothing.")
    if any(line.free_calls for line in found.lines):
        said.append("Calls that the server refused cost nothing.")
    if any(line.unsure_calls for line in found.lines):
        said.append(
            "Nobody knows whether unsure calls were paid (no reply came, or none that can be "
            "read): they count at the most that each can have cost."
        )
    if any(line.in_flight_calls for line in found.lines):
        said.append(
            f"Calls in flight can cost up to {money(found.in_flight_usd)}; where their process "
            "is gone, they count as possibly paid when the run goes on."
        )
    if any(line.cached_tokens or line.cache_write_tokens for line in found.lines):
        said.append(
            "Cached and written tokens are those parts of the prompt in the vendor's cache."
        )
    if found.cap_usd is not None:
        left = max(found.cap_usd - found.paid_usd - found.open_usd, 0.0)
        said.append(f"The budget is {money(found.cap_usd)}; {money(left)} of it is left.")
    return " ".join(said)


def price_blocks(prices: Sequence[PriceRow]) -> list[Block]:
    """The dated prices, and in words the models that have none."""
    priced = [row for row in prices if row.as_of is not None]
    others = {
        "Without a price, so counted as free": [r for r in prices if r.known and not r.as_of],
        "No longer in the recipe, so their prices are not known": [
            r for r in prices if not r.known
        ],
    }
    said = " ".join(
        f"{what}: {', '.join(_named(row) for row in rows)}."
        for what, rows in others.items()
        if rows
    )
    table = [price_table(priced)] if priced else []
    return [*table, *([Text(said, "note")] if said else [])]


def price_table(prices: Sequence[PriceRow]) -> Table:
    """US dollars per million tokens, with their date."""
    heads = ("input", "cached input", "cache write", "output", "batch")
    return Table(
        "Prices, in US dollars per million tokens",
        columns("model", "as of", *heads, numeric=heads),
        tuple(
            (
                Cell(row.model, aside=_served(row), tone="strong"),
                Cell(row.as_of or ""),
                _rate(row.input_usd),
                _rate(row.cached_input_usd),
                _rate(row.cache_write_usd, absent="1.25 × input"),
                _rate(row.output_usd),
                Cell("not used", tone="soft")
                if row.batch is None
                else Cell(f"× {figure(row.batch)}"),
            )
            for row in prices
        ),
        note="As the recipe states them. A batch costs the stated share of the other prices.",
    )


def _served(row: PriceRow) -> str:
    return ", ".join(part for part in (row.served_as, row.server) if part)


def _named(row: PriceRow) -> str:
    served = _served(row)
    return f"{row.model} ({served})" if served else row.model


def _rate(usd: float | None, *, absent: str = "as input") -> Cell:
    """A price with all its decimals, at least two.

    >>> _rate(0.3).text, _rate(0.075).text, _rate(15).text
    ('$0.30', '$0.075', '$15.00')
    """
    if usd is None:
        return Cell(absent, tone="soft")
    whole, _, part = f"{usd:,.9f}".rstrip("0").partition(".")
    return Cell(f"${whole}.{part:0<2}")
