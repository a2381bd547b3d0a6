"""A third of all answers go wrong: each item still ends with a judgment or a status, and is paid
for as the server bills it.
"""

import sys
from collections import Counter
from typing import Any

import pytest
from labelling import FULL, KEY, KEYED, RECORDS, Run, billed, billed_calls, verdict_of
from running import Server

UNSURE = (
    "hang", "close_mid_body", "half_json", "wrong_content_type", "empty_choices", "wrong_model",
)  # fmt: skip
"""Billed, and not answered: nobody but the server knows that the call was paid."""
REFUSED = ("rate_limit", "rate_limit_after", "error_500")
LATE = ("slow_drip",)
LINES = ("lines_duplicated", "line_errored", "line_expired", "wrong_model", "empty_choices")
CREATES = ["batches_create", "message_batches_create"]
LOOKS = ["batches_get", "message_batches_get"]
LINES_EACH = 100 if FULL else 20
STATUSES = {"parsed", "call_failed", "no_verdict"}
BUDGET = ("--budget-usd", 100)
PROTOCOLS = ["openai", "anthropic"]
QUICK = {"retry_after": 0.05, "drip_ms": 0.01}


@pytest.mark.parametrize("protocol", PROTOCOLS[: 1 + FULL])
def test_calls(labelling: Any, fault_server: Any, protocol: str) -> None:
    """One item is never answered. The ledger's calls are the server's, one by one."""
    server = fault_server(latency_ms=10, template=KEYED)
    endpoint = {"url": server.url, "protocol": protocol, "in_flight": 16, "timeout_s": 1}
    run = labelling("run", endpoint, *BUDGET, both_orders=False)
    server.plan(
        {"fault": "error_500", "match": never_answered(run)},
        {"fault": [*UNSURE, *REFUSED, *LATE], "share": 0.3, **QUICK},
    )
    run.end()
    assert_no_verdict_is_made_up(run)
    faults, booked = server.sums()["faults"], run.booked()
    assert_struck(faults, {*UNSURE, *REFUSED, *LATE})
    # Nothing is missing in an empty reply of Anthropic's: it has no content, and is paid for.
    empty = faults["empty_choices"] if protocol == "anthropic" else 0
    assert booked.count("free") == sum(faults[name] for name in REFUSED)
    unsure = sum(faults[name] for name in UNSURE) - empty
    assert 0 <= booked.count("possibly_paid") - unsure <= faults["slow_drip"]
    assert booked.count("paid", "possibly_paid") == billed_calls(server)
    assert booked.paid <= billed(server) <= booked.paid + booked.possibly_paid
    tell(f"{protocol}, calls", run, server)


@pytest.mark.parametrize("protocol", PROTOCOLS[: 1 + FULL])
def test_the_ledger_is_the_bill_where_nothing_is_unsure(
    labelling: Any, fault_server: Any, protocol: str
) -> None:
    """To the last nano-dollar."""
    server = fault_server(latency_ms=10, template=KEYED)
    server.plan(
        {"fault": [*REFUSED, "overloaded_503"], "share": 0.3, **QUICK},
        {"fault": LATE, "share": 0.02, **QUICK},
    )
    short = {"logprobs": None, "top_logprobs": None}  # a body that drips in time
    endpoint = {"url": server.url, "protocol": protocol, "in_flight": 16, "timeout_s": 30}
    run = labelling("run", {**endpoint, "options": short}, *BUDGET, both_orders=False)
    run.end()
    assert {row["status"] for row in run.rows(RECORDS[0])} <= {"parsed", "call_failed"}
    booked = run.booked()
    assert booked.count("possibly_paid") == 0
    assert booked.paid == billed(server)


@pytest.mark.parametrize("protocol", PROTOCOLS if FULL else PROTOCOLS[1:])
def test_batches(labelling: Any, fault_server: Any, protocol: str) -> None:
    """Lines missing, twice, in another order; results cut; creations whose answer is lost."""
    server = fault_server(template=KEYED, batch_polls=2)
    batch = {"max_requests": LINES_EACH, "poll_s": 0.05}
    endpoint = {"url": server.url, "protocol": protocol, "timeout_s": 3, "batch": batch}
    run = labelling("run", endpoint, *BUDGET, both_orders=False)
    server.plan(
        {"fault": "line_errored", "match": never_answered(run)},
        {"fault": "lines_missing", "share": 0.03},
        {"fault": LINES, "share": 0.28, "on": CREATES},
        {"fault": "lines_reordered", "share": 0.5},
        {"fault": ["close_after_accept", "close_mid_body"], "share": 0.2, "on": CREATES},
        {"fault": "half_results", "share": 0.2},
        {"fault": ["error_500", "rate_limit_after"], "share": 0.2, "on": LOOKS, **QUICK},
    )
    run.end()
    assert_no_verdict_is_made_up(run)
    faults, booked = server.sums()["faults"], run.booked()
    assert_struck(faults, {*LINES, "lines_missing", "lines_reordered", "half_results"})
    assert booked.count("paid", "possibly_paid") == billed_calls(server)
    assert booked.paid <= billed(server) + booked.count("paid")
    assert billed(server) <= booked.paid + booked.possibly_paid
    tell(f"{protocol}, batches", run, server)


def assert_struck(faults: dict[str, int], wanted: set[str]) -> None:
    """Each kind of fault struck; of a hundred items nearly each."""
    assert len(wanted - set(faults)) <= (0 if FULL else 2)


def never_answered(run: Run) -> str:
    """What stands in the prompts about one question."""
    questions = {row["id"]: row for row in run.rows("questions/questions.jsonl")}
    items = run.rows("split/items.jsonl")
    context: str = questions[items[len(items) // 2]["question_id"]]["context"]
    return "".join(f"[{letter}]" if letter.isalnum() else "." for letter in context)


def assert_no_verdict_is_made_up(run: Run) -> None:
    """Each judgment has the verdict that the server gave, or none; and so has each label."""
    judgments = run.rows(RECORDS[0])
    assert {row["status"] for row in judgments} <= STATUSES
    assert "call_failed" in {row["status"] for row in judgments}
    items = {row["id"] for row in run.rows("split/items.jsonl")}
    assert sorted(row["item_id"] for row in judgments) == sorted(items)
    given: dict[str, set[str]] = {item: set() for item in items}
    for row in judgments:
        if row["status"] != "parsed":
            assert row["verdict"] is None
            continue
        (key,) = KEY.findall(row["reply"])
        assert row["verdict"]["value"] == verdict_of(key)
        given[row["item_id"]].add(row["verdict"]["value"])
    labels = {row["item_id"]: row["verdict"]["value"] for row in run.rows(RECORDS[1])}
    assert all(given[item] for item in labels)
    assert any(item not in labels for item, verdicts in given.items() if not verdicts)


def tell(what: str, run: Run, server: Server) -> None:
    booked = run.booked()
    """Print the figures, for whoever runs it at full scale."""
    statuses = Counter(row["status"] for row in run.rows(RECORDS[0]))
    sys.stdout.write(
        f"\n{what}: {dict(statuses)}, faults {server.sums()['faults']}, billed "
        f"${billed(server) / 1e9} of {billed_calls(server)} calls, booked {booked.calls}, paid "
        f"${booked.paid / 1e9}, possibly paid ${booked.possibly_paid / 1e9}\n"
    )
