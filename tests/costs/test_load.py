"""Mistakes in a cost file: all at once, each with its line and what was probably meant."""

from collections.abc import Callable
from pathlib import Path

import pytest

from judgesmith.costs import example, load_inputs
from judgesmith.errors import RecipeError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """The example with texts replaced."""

    def make(*changes: tuple[str, str]) -> Path:
        text = example()
        for before, after in changes:
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        path = tmp_path / "cost.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def said_of(path: Path, *overrides: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load_inputs(path, overrides)
    return str(caught.value)


def test_all_errors_are_told_at_once_with_lines_and_names(write: Write) -> None:
    path = write(
        ("judgments_per_month: {low: 10000, high: 40000}", "judgments_per_month: -5"),
        ("calls_per_judgment: 2 ", "calls_per_judgement: 2 "),
        ("utilisation: 1 ", "utilisation: 1.5 "),
        ("per_hour: 2.5", "per_hour: {low: 3, high: 2}"),
        ("minutes: {low: 1, high: 3}", "minutes: {lo: 1, high: 3}"),
        ("as_of: 2026-05-09", "as_of: May"),
    )
    said = said_of(path)
    assert said.startswith("The cost file has 7 error(s):")
    line = {text: n for n, text in enumerate(path.read_text().splitlines(), start=1)}
    where = next(n for text, n in line.items() if text.startswith("judgments_per_month"))
    assert f"{path}:{where}: 'judgments_per_month': expected above 0" in said
    assert "found -5\n" in said
    assert "did you mean 'calls_per_judgment'?" in said
    assert "'calls_per_judgment' is required and missing" in said
    assert "'own.nightly.utilisation': expected a share above 0 and at most 1, found 1.5" in said
    assert "expected low up to high, found 3 to 2" in said
    assert "unknown key 'once.people.minutes.lo'; did you mean 'low'?" in said
    assert "machines.a100.as_of" in said


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("  nightly:                 #", "  nightly: {}\n  x:  #", "nightly.machine' is required"),
        ("    utilisation: 1 ", "    # ", "expected either `utilisation`"),
        ("concurrency: 16        #", "concurrency: 17        #", "measured: 1, 16"),
        ("concurrency: 16        #", "#", "to choose among loads of 1, 16"),
        ("concurrency: 16        #", "latency: {p95_s: 2} #", "concurrency 16: p95_s 19.8725"),
        ("concurrency: 16        #", "latency: {p99_s: 20} #", "concurrency 1: p99_s not measured"),
        ("teacher: {usd: 14.34}", "teacher: {usd: 1, calls: 2, api: sonnet}", "either `usd`, or"),
        ("teacher: {usd: 14.34}", "teacher: {calls: 2, api: sonet}", "did you mean 'sonnet'"),
        ("teacher: {usd: 14.34}", "teacher: {}", "either `usd`, or"),
        ("      output: 15\n", "", "expected either `input` and `output`"),
        ("      output: 15\n", "      output: 15\n      per_call: 1\n", "`per_call` or"),
        ("      source: prices", "      sauce: prices", "apis.sonnet.price.source' is required"),
        ("within_judgments: [10000,", "within_judgments: [0,", "greater than 0"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(
    write: Write, before: str, after: str, said: str
) -> None:
    assert said in said_of(write((before, after)))


def test_names_that_nobody_describes_are_found_together(write: Write) -> None:
    said = said_of(write(("  a100:\n", "  h100:\n")))
    assert said.startswith("The cost file has 3 error(s):")
    assert said.count("unknown machine 'a100'; did you mean 'h100'?") == 3


def test_a_token_price_needs_tokens(write: Write) -> None:
    path = write()
    text = path.read_text(encoding="utf-8")
    start, end = text.index("tokens: "), text.index("apis:\n")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    assert "apis.sonnet is paid by tokens: expected `tokens` for a call" in said_of(path)


def test_a_value_can_be_changed_for_once(write: Write) -> None:
    found = load_inputs(write(), ("judgments_per_month=500000", "own.nightly.utilisation=0.5"))
    assert found.judgments_per_month.value == 500_000
    assert found.own["nightly"].utilisation is not None
    assert found.own["nightly"].utilisation.value == 0.5
    said = said_of(write(), "moths=3", "months")
    assert "did you mean 'months'" in said
    assert "--set 'months': expected key.path=value" in said


def test_a_reason_may_stand_beside_a_value(write: Write) -> None:
    found = load_inputs(write(("per_hour: 2.5", "per_hour: {value: 2.5, why: on demand}")))
    assert found.machines["a100"].per_hour.why == "on demand"
    assert found.machines["a100"].per_hour.value == 2.5


def test_a_mistake_in_an_option_names_the_option_and_not_a_line(write: Write) -> None:
    told = said_of(write(), "judgments_per_mont=5", "own.nightly.utilisation=many")
    assert "--set 'judgments_per_mont=5': unknown key 'judgments_per_mont'; did you mean" in told
    assert "--set 'own.nightly.utilisation=many': 'own.nightly.utilisation': " in told
    assert ".yaml:" not in told
