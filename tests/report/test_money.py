"""Money on the page, in the JSON and on the terminal: the ledger's own numbers."""

import json
from pathlib import Path

import pytest

from judgesmith.cli import show
from judgesmith.models.http.ledger import Call, CallState, Ledger, Settled
from judgesmith.pipeline.report_run import note_budget, read_money
from judgesmith.report.blocks import Table, Text
from judgesmith.report.document import Document
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown
from judgesmith.report.money import Money, PriceRow, money_sentence
from judgesmith.report.money_sections import money_section, money_table, price_blocks
from judgesmith.runs.endpoint import Batching, Endpoint, Price
from judgesmith.runs.layout import Header, RunDir

CENT = 10**7
PRICE = Price(input=3, output=15, cached_input=0.3, batch=0.5, as_of="2026-10-01")  # type: ignore[arg-type]
MODELS = {
    "big": Endpoint(
        protocol="anthropic", url="https://api.example.com/secret/v1",
        model="vendor/big", price=PRICE, batch=Batching(), options={"header": "secret"},
    ),
    "local": Endpoint(protocol="openai", url="http://localhost:1/v1", model="small"),
}  # fmt: skip


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    """A ledger with two paid calls of 2 cents each, one free, one unsure (at most 5 cents), one in
    flight (at most 3), three hits; and two calls of a local model for responses."""
    run = RunDir(tmp_path, Header(name="r", task="bias", seed=1, models=MODELS))
    with Ledger(tmp_path / "ledger.sqlite", 1.0) as ledger:
        bounds = (4, 4, 4, 5, 3)
        numbers = ledger.open([Call("labels", "big", str(b), b * CENT) for b in bounds])
        ledger.settle(
            [
                Settled(numbers[0], CallState.PAID, 2 * CENT, 1000, 600, 30, 50),
                Settled(numbers[1], CallState.PAID, 2 * CENT, 1000, 600, 0, 70),
                Settled(numbers[2], CallState.FREE),
                Settled(numbers[3], CallState.POSSIBLY_PAID),
            ]
        )
        others = ledger.open([Call("responses", name, "k", 0) for name in ("local", "gone")])
        ledger.settle([Settled(n, CallState.PAID, 0, 100, 0, 0, 10) for n in others])
        ledger.hits("labels", "big", 3)
    return run


def plainly(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def read(run: RunDir) -> Money:
    found = read_money(run)
    assert found is not None
    return found


def test_a_run_without_a_ledger_has_no_money(tmp_path: Path, empty_document: Document) -> None:
    assert read_money(RunDir(tmp_path, Header(name="r", task="bias", seed=1))) is None
    assert money_section(None).blocks == ()
    assert '"money"' not in render_html(empty_document)


def test_numbers_are_those_of_the_ledger(run_dir: RunDir) -> None:
    """Stages come in the order of the flow: responses before labels."""
    money = read(run_dir)
    assert [(line.stage, line.model) for line in money.lines] == [
        ("responses", "gone"), ("responses", "local"), ("labels", "big"),
    ]  # fmt: skip
    big = money.lines[-1]
    assert (big.hits, big.calls, big.paid_calls, big.free_calls, big.unsure_calls) == (
        3,
        5,
        2,
        1,
        1,
    )
    assert big.in_flight_calls == 1
    assert (big.prompt_tokens, big.cached_tokens, big.cache_write_tokens) == (2000, 1200, 30)
    assert (big.completion_tokens, big.paid_usd, big.possibly_paid_usd) == (120, 0.04, 0.05)
    assert (money.paid_usd, money.possibly_paid_usd, money.in_flight_usd) == (0.04, 0.05, 0.03)
    assert money.cap_usd is None


def test_the_budget_is_kept_for_every_later_report(run_dir: RunDir) -> None:
    """A later command without a budget does not take it away."""
    caps = []
    for given in (None, float("inf"), 1.5, None, 2.5):
        note_budget(run_dir, given)
        caps.append(read(run_dir).cap_usd)
    assert caps == [None, None, 1.5, 1.5, 2.5]
    assert money_sentence(read(run_dir)) == (
        "paid $0.0400 (possibly $0.0800 more) of $2.50, 7 calls, 3 from the cache"
    )


def test_prices_have_dates_and_no_secret(run_dir: RunDir) -> None:
    """Of an address only the host is told; options and the rest of it may hold keys."""
    money = read(run_dir)
    assert money.prices == (
        PriceRow(
            model="big", served_as="vendor/big", server="api.example.com", input_usd=3.0,
            output_usd=15.0, cached_input_usd=0.3, batch=0.5, as_of="2026-10-01",
        ),
        PriceRow(model="gone", known=False),
        PriceRow(model="local", served_as="small", server="localhost"),
    )  # fmt: skip
    assert "secret" not in money.model_dump_json()
    table, text = price_blocks(money.prices)
    assert isinstance(table, Table)
    assert isinstance(text, Text)
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["big", "2026-10-01", "$3.00", "$0.30", "1.25 × input", "$15.00", "× .50"]
    ]
    assert "counted as free: local (small, localhost)." in text.text
    assert "No longer in the recipe, so their prices are not known: gone." in text.text


def test_the_table_says_what_each_call_came_to(run_dir: RunDir) -> None:
    table = money_table(read(run_dir))
    labels, total = table.rows[2], table.rows[3]
    assert [cell.text for cell in labels] == [
        "labels", "big", "3", "5", "2,000", "120", "$0.0400", "$0.0500",
    ]  # fmt: skip
    assert plainly(labels[3].aside) == "2 answered, 1 refused, 1 unsure, 1 in flight"
    assert plainly(labels[4].aside) == "1,200 cached, 30 written"
    assert [cell.text for cell in total] == [
        "all", "", "3", "7", "2,200", "140", "$0.0400", "$0.0500",
    ]  # fmt: skip
    assert "up to $0.0300" in table.note


def test_one_line_needs_no_sum(some_money: Money) -> None:
    one = some_money.model_copy(update={"lines": some_money.lines[:1]})
    assert [row[0].text for row in money_table(one).rows] == ["responses"]
    assert "unsure" not in money_table(one).note


def test_pages_and_json_carry_the_same_numbers(full_document: Document) -> None:
    page, text = render_html(full_document), render_markdown(full_document)
    for said in ("14,235", "$5.86", "$6.77", "$0.0264", "2026-10-01", "api.example.com"):
        assert said in page
        assert said in text
    kept = json.loads(full_document.model_dump_json())["money"]
    assert kept["paid_usd"] == 6.765299
    assert kept["lines"][1]["calls"] == 14_235
    assert "$18.21 of it is left" in page


def test_the_terminal_shows_the_same_table(
    some_money: Money, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No figure is cut at 120 columns, and what stands beside a figure comes below it."""
    from rich.console import Console

    monkeypatch.setattr(show, "console", Console(width=120, highlight=False))
    show.block(money_table(some_money))
    shown = capsys.readouterr().out
    for row in money_table(some_money).rows:
        for cell in row[2:]:  # a long name of a model may be wrapped
            for part in (cell.text, *cell.aside.split(", ")):
                assert plainly(part) in plainly(shown)
    assert "…" not in shown
