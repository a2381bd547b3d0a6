"""The ledger: sums that are right, a cap that holds, and calls that outlive a killed process."""

import errno
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError, ModelError, RecipeError, RunError
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.ledger import (
    LEDGER,
    BudgetSpent,
    Call,
    CallState,
    Ledger,
    Line,
    Settled,
    Totals,
    look,
)
from judgesmith.models.protocol import Completion
from judgesmith.records import Finish

DOLLAR = 10**9


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with Ledger(path, 10.0) as opened:
        yield opened


def call(bound: int, *, stage: str = "labels", model: str = "m", key: str = "k") -> Call:
    return Call(stage, model, key, bound)


def test_a_call_goes_through_its_states(ledger: Ledger) -> None:
    """$10 cap; calls of at most $4, $3, $2 and $1: paid $1, free, possibly paid, in flight."""
    numbers = ledger.open([call(n * DOLLAR) for n in (4, 3, 2, 1)])
    assert ledger.totals() == Totals(0, 0, 10 * DOLLAR, 10 * DOLLAR)
    assert not ledger.fits(1)
    ledger.settle(
        [
            Settled(numbers[0], CallState.PAID, DOLLAR, 100, 60, 40, 50),
            Settled(numbers[1], CallState.FREE),
            Settled(numbers[2], CallState.POSSIBLY_PAID, 2 * DOLLAR),
        ]
    )
    assert ledger.totals() == Totals(DOLLAR, 2 * DOLLAR, DOLLAR, 10 * DOLLAR)
    assert ledger.totals().booked == 4 * DOLLAR
    assert ledger.fits(6 * DOLLAR)
    assert not ledger.fits(6 * DOLLAR + 1)


def test_no_cap(path: Path) -> None:
    with Ledger(path, None) as ledger:
        ledger.open([call(10**15)])
        assert ledger.fits(10**18)
        assert ledger.totals().cap is None


def test_what_does_not_fit_is_refused_whole(ledger: Ledger) -> None:
    """$9 are booked: two calls of $0.60 do not fit together, so neither is booked."""
    (number,) = ledger.open([call(9 * DOLLAR)])
    ledger.settle([Settled(number, CallState.PAID, 8 * DOLLAR + 5)])
    ledger.open([call(DOLLAR)])
    with pytest.raises(BudgetSpent) as caught:
        ledger.open([call(600_000_000), call(600_000_000)])
    assert str(caught.value) == (
        "The budget is spent: of $10.00, $8.000000005 are paid, $0.00 possibly paid and $1.00 in "
        "flight, and the next call may cost $1.20. To go on where it stopped, run the same command "
        "with --budget-usd 10.21 or more; what was answered is not paid again."
    )
    assert isinstance(caught.value, ModelError)
    assert ledger.lines()[0].calls == 2
    assert ledger.totals().booked == 9 * DOLLAR + 5
    ledger.open([call(600_000_000)])


def test_what_costs_nothing_always_fits(path: Path) -> None:
    with Ledger(path, 1.0) as ledger:
        ledger.open([call(DOLLAR)])
    with Ledger(path, 0.5) as ledger:
        assert not ledger.fits(1)
        assert ledger.fits(0)
        ledger.open([call(0)])


@pytest.mark.parametrize(("cap_usd", "nano"), [(0.1, 10**8), (0.07, 7 * 10**7), (1e-10, 0), (0, 0)])
def test_a_cap_is_the_decimal_number_given(path: Path, cap_usd: float, nano: int) -> None:
    with Ledger(path, cap_usd) as ledger:
        assert ledger.totals().cap == nano
        assert ledger.fits(nano)
        assert not ledger.fits(nano + 1)


@pytest.mark.parametrize("cap_usd", [-0.01, float("nan"), float("inf")])
def test_a_cap_that_is_no_amount(path: Path, cap_usd: float) -> None:
    with pytest.raises(RecipeError, match="--budget-usd: expected an amount"):
        Ledger(path, cap_usd)


def test_what_was_possibly_paid_can_become_known(ledger: Ledger) -> None:
    """A batch is looked up later: its calls are settled for the second time."""
    numbers = ledger.open([call(DOLLAR), call(DOLLAR)])
    ledger.settle([Settled(number, CallState.POSSIBLY_PAID) for number in numbers])
    ledger.settle([Settled(numbers[0], CallState.PAID, 5), Settled(numbers[1], CallState.FREE)])
    assert ledger.totals() == Totals(5, 0, 0, 10 * DOLLAR)


def test_a_cost_above_its_bound_counts_as_it_is(ledger: Ledger) -> None:
    (number,) = ledger.open([call(1)])
    ledger.settle([Settled(number, CallState.PAID, 11 * DOLLAR)])
    assert ledger.totals().spent == 11 * DOLLAR
    assert not ledger.fits(1)


def test_mistakes_of_the_caller_change_nothing(ledger: Ledger) -> None:
    paid, is_open = ledger.open([call(5), call(7)])
    ledger.settle([Settled(paid, CallState.PAID, 3)])
    before = ledger.totals(), ledger.lines()
    for wrong in (
        [Settled(is_open, CallState.PAID, 1), Settled(paid, CallState.PAID, 3)],
        [Settled(is_open, CallState.PAID, 1), Settled(is_open, CallState.FREE)],
        [Settled(is_open, CallState.PAID, 1), Settled(is_open + 1, CallState.FREE)],
        [Settled(is_open, CallState.IN_FLIGHT)],
        [Settled(is_open, CallState.PAID, -1)],
    ):
        with pytest.raises(ValueError, match=r"no open call|0 or more"):
            ledger.settle(wrong)
    with pytest.raises(ValueError, match="0 or more"):
        ledger.open([call(1), call(-1)])
    assert (ledger.totals(), ledger.lines()) == before
    assert ledger.open([]) == []
    ledger.settle([])


def test_lines_say_what_each_stage_asked_of_each_model(ledger: Ledger) -> None:
    of_a = [call(bound, model="a") for bound in (100, 200, 300, 400)]
    numbers = ledger.open(
        [*of_a, call(50, model="b"), call(70, stage="negatives", model="a")],
    )
    ledger.settle(
        [
            Settled(numbers[0], CallState.PAID, 90, 1000, 600, 300, 40),
            Settled(numbers[1], CallState.PAID, 80, 500, 0, 0, 10),
            Settled(numbers[2], CallState.FREE),
            # What is not known to be paid has no tokens and no cost, whatever was given.
            Settled(numbers[3], CallState.POSSIBLY_PAID, 400, 1, 1, 1, 1),
        ]
    )
    ledger.hits("labels", "a", 7)
    ledger.hits("labels", "a", 2)
    ledger.hits("items", "c", 1)
    expected = [
        Line("items", "c", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Line("labels", "a", 9, 4, 2, 1, 1, 1500, 600, 300, 50, 170, 400),
        Line("labels", "b", 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        Line("negatives", "a", 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ]
    assert ledger.lines() == expected


def test_numbers_of_two_ledgers_differ(tmp_path: Path) -> None:
    with Ledger(tmp_path / "a", None) as one, Ledger(tmp_path / "b", None) as two:
        first, second = one.open([call(1), call(1)]), two.open([call(1), call(1)])
    assert first[1] == first[0] + 1
    assert not set(first) & set(second)
    with Ledger(tmp_path / "a", None) as one:
        assert one.open([call(1)]) == [first[1] + 1]


bounds = st.integers(0, 40)
steps = st.one_of(
    st.tuples(st.just("open"), st.lists(bounds, max_size=4)),
    st.tuples(
        st.just("settle"),
        st.lists(
            st.tuples(
                st.integers(0, 50),
                st.sampled_from([CallState.PAID, CallState.FREE, CallState.POSSIBLY_PAID]),
                st.integers(0, 40),
            ),
            max_size=4,
        ),
    ),
    st.tuples(st.just("reopen"), st.integers(0, 150)),
)


class Oracle:
    """The same in plain Python: every call with its state, bound and cost; sums made anew."""

    def __init__(self) -> None:
        self.calls: dict[int, tuple[CallState, int, int]] = {}

    def sums(self) -> tuple[int, int, int]:
        def total(state: CallState, column: int) -> int:
            return sum(kept[column] for kept in self.calls.values() if kept[0] is state)

        return (
            total(CallState.PAID, 2),
            total(CallState.POSSIBLY_PAID, 1),
            total(CallState.IN_FLIGHT, 1),
        )

    def unsettled(self) -> list[int]:
        ended = (CallState.PAID, CallState.FREE)
        return [number for number, kept in self.calls.items() if kept[0] not in ended]

    def settle(self, picks: list[tuple[int, CallState, int]]) -> list[Settled]:
        """Picks of open calls by place, each once; a cost is never above its bound."""
        outcomes = []
        for place, state, cost in picks:
            left = [n for n in self.unsettled() if n not in {o.call_id for o in outcomes}]
            if left:
                number = left[place % len(left)]
                outcomes.append(Settled(number, state, min(cost, self.calls[number][1])))
        for outcome in outcomes:
            bound = self.calls[outcome.call_id][1]
            self.calls[outcome.call_id] = (outcome.state, bound, outcome.cost)
        return outcomes


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=30))
def test_sums_agree_with_plain_python_and_the_cap_holds(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[str, list[int]]]
) -> None:
    path = tmp_path_factory.mktemp("l") / "l.sqlite"
    oracle, cap = Oracle(), 100
    ledger = Ledger(path, cap / DOLLAR)
    for what, how in history:
        booked = sum(oracle.sums())
        if what == "open":
            fits = booked + sum(how) <= cap or sum(how) == 0
            assert ledger.fits(sum(how)) is fits
            if fits:
                numbers = ledger.open([call(bound) for bound in how])
                oracle.calls |= {
                    n: (CallState.IN_FLIGHT, bound, 0)
                    for n, bound in zip(numbers, how, strict=True)
                }
                assert sum(oracle.sums()) <= max(cap, booked)
            else:
                with pytest.raises(BudgetSpent):
                    ledger.open([call(bound) for bound in how])
        elif what == "settle":
            ledger.settle(oracle.settle(how))  # type: ignore[arg-type]
            assert sum(oracle.sums()) <= booked
        else:
            ledger.close()
            cap = int(str(how))
            ledger = Ledger(path, cap / DOLLAR)
            lost = CallState.POSSIBLY_PAID
            oracle.calls = {
                n: (lost if kept[0] is CallState.IN_FLIGHT else kept[0], *kept[1:])
                for n, kept in oracle.calls.items()
            }
        assert ledger.totals() == Totals(*oracle.sums(), cap)
        assert look(path)[0] == Totals(*oracle.sums(), None)
    ledger.close()


def test_threads_cannot_spend_the_same_money(ledger: Ledger) -> None:
    """Eight threads ask for 2,000 calls of a cent with $10: exactly 1,000 are booked."""
    refused: list[int] = []

    def work() -> None:
        for _ in range(250):
            try:
                ledger.open([call(DOLLAR // 100)])
            except BudgetSpent:
                refused.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1000
    assert ledger.lines()[0].calls == 1000
    assert ledger.totals().booked == 10 * DOLLAR


def reply(cost_usd: float) -> Completion:
    return Completion(
        text="A", finish=Finish.STOP, prompt_tokens=90, completion_tokens=5, cached_tokens=60,
        cache_write_tokens=20, cost_usd=cost_usd,
    )  # fmt: skip


def test_a_reply_that_was_kept_settles_the_call_that_brought_it(path: Path) -> None:
    """Killed between keeping the reply and settling: the call is known to be paid, at its cost."""
    with ReplyCache(path.parent / "cache.sqlite") as cache:
        with Ledger(path, None) as ledger:
            numbers = ledger.open([call(100, key=key) for key in "abc"])
            cache.put(
                {"a": reply(30e-9), "b": reply(40e-9)}, dict(zip("ab", numbers, strict=False))
            )
        with Ledger(path, None) as ledger:
            assert ledger.totals()[:3] == (0, 300, 0)
            assert ledger.reconcile(cache) == 2
            assert ledger.totals()[:3] == (70, 100, 0)
            assert ledger.lines()[0][3:] == (3, 2, 0, 1, 180, 120, 40, 10, 70, 100)
            assert ledger.reconcile(cache) == 0


def test_a_reply_that_another_call_brought_settles_nothing(path: Path) -> None:
    """The first call timed out and was sent again; another run asked the same: both are paid."""
    with ReplyCache(path.parent / "cache.sqlite") as cache, Ledger(path, None) as ledger:
        lost, again = ledger.open([call(100, key="a"), call(100, key="a")])
        ledger.open([call(100, key="b"), call(100, key="c")])
        ledger.settle([Settled(lost, CallState.POSSIBLY_PAID)])
        cache.put({"a": reply(30e-9)}, {"a": again})
        ledger.settle([Settled(again, CallState.PAID, 30)])
        with Ledger(path.parent / "other.sqlite", None) as other:
            (number,) = other.open([call(100, key="b")])
            cache.put({"b": reply(40e-9), "c": reply(50e-9)}, {"b": number})
        ledger.close()
        with Ledger(path, None) as ledger:
            assert ledger.reconcile(cache) == 0
            assert ledger.totals()[:3] == (30, 300, 0)


KILLED = """
import sys, time
from pathlib import Path
from judgesmith.models.http.ledger import Call, CallState, Ledger, Settled

ledger = Ledger(Path(sys.argv[1]), 1e-6)
numbers = ledger.open([Call("labels", "m", f"k{i}", 100) for i in range(7)])
ledger.settle([Settled(numbers[0], CallState.PAID, 60, 1, 0, 0, 1),
               Settled(numbers[1], CallState.FREE),
               Settled(numbers[2], CallState.POSSIBLY_PAID)])
print("in flight", flush=True)
time.sleep(60)
"""

BUSY = """
import sys
from pathlib import Path
from judgesmith.models.http.ledger import BudgetSpent, Call, CallState, Ledger, Settled

ledger = Ledger(Path(sys.argv[1]), 1.0)
for turn in range(10**6):
    numbers = ledger.open([Call("labels", "m", "k", 100) for _ in range(5)])
    print("opened", *numbers, flush=True)
    ledger.settle([Settled(number, CallState.PAID, 40) for number in numbers[:4]])
    print("paid", *numbers[:4], flush=True)
"""


def begin(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )


def test_a_disk_without_locks_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("judgesmith.models.http.ledger.fcntl.flock", flock)
    with pytest.raises(RunError, match="files can be locked, found: No locks available"):
        Ledger(path, None)


@pytest.mark.wide
def test_kill_9_leaves_calls_possibly_paid_and_they_count(path: Path) -> None:
    """A cap of 1,000; 7 calls of 100: 60 paid, 1 free, 1 possibly paid, 4 in flight at the kill.

    60 + 100 + 400 are booked: 440 are left.
    """
    child = begin(KILLED, path)
    assert child.stdout is not None
    assert child.stdout.readline() == "in flight\n"
    assert look(path)[0] == Totals(60, 100, 400, None)
    with pytest.raises(RunError, match="another process is making calls for this run"):
        Ledger(path, None)
    assert look(path)[0] == Totals(60, 100, 400, None)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with Ledger(path, 1e-6) as ledger:
        assert ledger.totals() == Totals(60, 500, 0, 1000)
        assert ledger.lines()[0][3:7] == (7, 1, 1, 5)
        assert ledger.fits(440)
        assert not ledger.fits(441)
        with pytest.raises(BudgetSpent, match=r"\$0\.0000005 possibly paid"):
            ledger.open([call(441)])


@pytest.mark.wide
def test_kill_9_at_any_moment_loses_no_call(path: Path) -> None:
    """Five processes in turn on one ledger, each killed while it writes: all they told is there."""
    told: dict[str, set[int]] = {"opened": set(), "paid": set()}
    for turn in range(5):
        child = begin(BUSY, path)
        assert child.stdout is not None
        for _ in range(7 + 10 * turn):
            what, *numbers = child.stdout.readline().split()
            told[what].update(map(int, numbers))
        child.send_signal(signal.SIGKILL)
        for line in child.communicate()[0].splitlines(keepends=True):
            if line.endswith("\n"):
                what, *numbers = line.split()
                told[what].update(map(int, numbers))
        with Ledger(path, 1.0) as ledger:
            raw = sqlite3.connect(path)
            states = dict(raw.execute("SELECT id, state FROM calls").fetchall())
            raw.close()
            assert told["opened"] <= set(states)
            assert {states[number] for number in told["paid"]} == {"paid"}
            paid = sum(state == "paid" for state in states.values())
            assert set(states.values()) <= {"paid", "possibly_paid"}
            assert ledger.totals()[:3] == (40 * paid, 100 * (len(states) - paid), 0)
            # At most one commit of each kind was not told about when the kill came.
            assert paid - len(told["paid"]) <= 4 * (turn + 1)
            assert len(states) - len(told["opened"]) <= 5 * (turn + 1)


def test_a_second_ledger_on_one_file_is_refused(path: Path, ledger: Ledger) -> None:
    ledger.open([call(5)])
    with pytest.raises(RunError, match=r"ledger\.sqlite: another process"):
        Ledger(path, None)
    assert ledger.totals().in_flight == 5
    ledger.close()
    ledger.close()
    Ledger(path, None).close()


def test_a_look_changes_nothing(path: Path, ledger: Ledger) -> None:
    numbers = ledger.open([call(5), call(6), call(7)])
    ledger.settle([Settled(numbers[0], CallState.PAID, 4), Settled(numbers[1], CallState.FREE)])
    assert look(path) == (Totals(4, 0, 7, None), ledger.lines())
    assert ledger.totals().in_flight == 7


def test_a_look_at_no_ledger(path: Path) -> None:
    with pytest.raises(DataError, match="found no file there"):
        look(path)
    assert not path.exists()


def test_settings_of_the_file(ledger: Ledger) -> None:
    assert ledger._file.read("PRAGMA journal_mode") == [("wal",)]
    assert ledger._file.read("PRAGMA synchronous") == [(1,)]


def test_a_newer_ledger_is_refused_and_free_to_others(path: Path) -> None:
    Ledger(path, None).close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version=3")
    raw.close()
    for _ in range(2):
        with pytest.raises(DataError, match="found version 3: a newer judgesmith made it"):
            Ledger(path, None)


def test_a_ledger_without_batches_is_upgraded_in_place(path: Path) -> None:
    """Version 1 had no batches: its calls are kept, and batches can be booked."""
    path.parent.mkdir(parents=True)
    raw = sqlite3.connect(path)
    for statement in LEDGER.schema[:2]:
        raw.execute(statement)
    raw.execute(f"PRAGMA application_id={LEDGER.mark}")
    raw.execute("PRAGMA user_version=1")
    raw.execute(
        "INSERT INTO calls (id, stage, model, key, bound, state) VALUES (8, 's', 'm', 'k', 5,"
        " 'in_flight')"
    )
    raw.commit()
    raw.close()
    for _ in range(2):
        with Ledger(path, None) as ledger:
            assert ledger.totals() == Totals(0, 5, 0, None)
            assert ledger.file.read("SELECT count(*) FROM batches") == [(0,)]
            assert ledger.file.read("PRAGMA user_version") == [(2,)]
    made = sqlite3.connect(path).execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    Ledger(path.with_name("new"), None).close()
    new = sqlite3.connect(path.with_name("new"))
    assert made == new.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


def test_a_file_that_is_no_ledger(path: Path) -> None:
    ReplyCache(path).close()
    with pytest.raises(DataError, match="found an SQLite file of something else"):
        Ledger(path, None)
    path.write_text("no ledger")
    with pytest.raises(DataError, match="look at the vendor's bill"):
        Ledger(path, None)


def test_a_full_disk_books_nothing(ledger: Ledger) -> None:
    """What could not be written is in no sum, and the ledger can be used once there is room."""
    (number,) = ledger.open([call(5)])
    ledger._file.read("PRAGMA max_page_count=4")
    before = ledger.totals()
    with pytest.raises(RunError, match="disk full"):
        ledger.open([call(1, key="x" * 500) for _ in range(100)])
    assert ledger.totals() == before
    ledger._file.read("PRAGMA max_page_count=1000")
    ledger.settle([Settled(number, CallState.PAID, 4)])
    (again,) = ledger.open([call(7)])
    assert again == number + 1
    assert ledger.totals()[:3] == (4, 0, 7)


def test_a_number_that_no_file_holds_books_nothing(path: Path) -> None:
    """The first row was written when the second failed: it is taken back."""
    with Ledger(path, None) as ledger:
        with pytest.raises(OverflowError):
            ledger.open([call(1), call(2**70)])
        assert ledger.totals()[:3] == (0, 0, 0)
        ledger.open([call(2)])
        assert look(path)[0][:3] == (0, 0, 2)


def test_a_ledger_held_by_another_for_too_long(path: Path) -> None:
    with Ledger(path, None, wait_s=0.05) as ledger:
        (number,) = ledger.open([call(5)])
        raw = sqlite3.connect(path, isolation_level=None)
        raw.execute("BEGIN IMMEDIATE")
        for write in (
            lambda: ledger.open([call(5)]),
            lambda: ledger.settle([Settled(number, CallState.FREE)]),
            lambda: ledger.hits("labels", "m", 1),
        ):
            with pytest.raises(RunError, match="held by another process"):
                write()
        raw.close()
        assert ledger.totals()[:3] == (0, 0, 5)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="expected a folder for the ledger"):
        Ledger(tmp_path / "file" / "ledger.sqlite", None)
    (tmp_path / "ledger.sqlite.lock").mkdir()
    with pytest.raises(RunError, match="Make its folder writable"):
        Ledger(tmp_path / "ledger.sqlite", None)


def test_what_fits_is_known_without_a_look_at_the_disk(ledger: Ledger) -> None:
    """The sums are kept, so `fits` runs no statement."""
    ledger.open([call(5)])
    statements: list[str] = []
    ledger._file._connection.set_trace_callback(statements.append)
    assert ledger.fits(1)
    assert ledger.totals().in_flight == 5
    assert statements == []
    ledger.open([call(5)])
    assert [s.split()[0] for s in statements] == ["BEGIN", "INSERT", "COMMIT"]
