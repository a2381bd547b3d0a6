import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgesmith.errors import DataError
from judgesmith.metrics import cluster_bootstrap_rate, swap_verdict
from judgesmith.metrics.styles import style_matrix

style = st.sampled_from(["code", "list", "prose"])
rows_of = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "TIE", None]),
        st.tuples(style, style),
        st.integers(0, 5),
        st.sampled_from(["A", "B", "TIE"]),
    ),
    max_size=30,
)
Rows = list[tuple[str | None, tuple[str, str], int, str]]


def matrix(rows: Rows):  # type: ignore[no-untyped-def]
    return style_matrix(
        [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows],
        labels=[r[3] for r in rows], seed=1, resamples=30,
    )  # fmt: skip


def test_by_hand() -> None:
    """List against prose in five rows: verdicts for list, list, prose, tie and one unparsed:
    (2 + 1/2) / 4 = .625. The labels of these four: prose, list, prose, prose = 1/4.
    """
    rows: Rows = [
        ("A", ("list", "prose"), 0, "B"),
        ("B", ("prose", "list"), 1, "B"),
        ("B", ("list", "prose"), 2, "B"),
        ("TIE", ("prose", "list"), 3, "A"),
        (None, ("list", "prose"), 4, "A"),
        ("A", ("list", "list"), 5, "A"),
        ("A", ("code", "list"), 6, "TIE"),
    ]
    found = matrix(rows)
    assert found.styles == ("code", "list", "prose")
    assert (found.unparsed, found.same_style, len(found.cells)) == (1, 1, 2)
    cell = found.cell("list", "prose")
    assert (cell.wins, cell.ties, cell.losses) == (2, 1, 1)
    assert (float(cell.judge), float(cell.labels), float(cell.difference)) == (0.625, 0.25, 0.375)
    assert (cell.judge.n, cell.judge.clusters) == (4, 4)
    other = found.cell("prose", "list")
    assert (other.wins, other.losses, float(other.judge)) == (1, 2, 0.375)
    assert float(other.difference) == -0.375
    assert (other.judge.low, other.difference.low) == (
        1 - cell.judge.high,
        -cell.difference.high,
    )
    assert found.cell("code", "prose") is None
    assert found.cell("code", "list").judge.no_interval is not None


def test_without_ties_the_rate_is_a_plain_share() -> None:
    hits = [True, True, False, True, False, True, True]
    found = style_matrix(
        ["A" if hit else "B" for hit in hits], [("list", "prose")] * 7, "aabbcdd",
        tie=None, seed=4, resamples=500,
    )  # fmt: skip
    cell = found.cell("list", "prose")
    plain = cluster_bootstrap_rate(hits, "aabbcdd", seed=4, resamples=500)
    assert float(cell.judge) == float(plain)
    assert cell.judge.low == pytest.approx(plain.low)
    assert cell.labels is None
    assert cell.difference is None
    assert found.cell("prose", "list").labels is None


def test_bad_input_is_refused() -> None:
    with pytest.raises(DataError, match=r"verdicts\[0\] is 'C'"):
        style_matrix("C", [("x", "y")], "q", seed=1)
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        style_matrix("A", [("x", "y")], "q", labels=[None], seed=1)  # type: ignore[list-item]
    with pytest.raises(DataError, match="expected one of"):
        style_matrix("A", [("x", "y")], "q", seed=1, resamples=20).cell("x", "z")
    assert style_matrix([], [], [], seed=1).cells == ()


@settings(deadline=None)
@given(rows_of, st.randoms(use_true_random=False))
def test_slots_and_row_order_do_not_matter(rows: Rows, random: object) -> None:
    other = [(swap_verdict(v), (b, a), c, str(swap_verdict(y))) for v, (a, b), c, y in rows]
    random.shuffle(other)  # type: ignore[attr-defined]
    assert matrix(rows) == matrix(other)  # type: ignore[arg-type]


@settings(deadline=None)
@given(rows_of)
def test_every_row_is_counted_once(rows: Rows) -> None:
    found = matrix(rows)
    counted = sum(cell.wins + cell.ties + cell.losses for cell in found.cells)
    assert counted + found.unparsed + found.same_style == len(rows)
    for cell in found.cells:
        assert float(cell.difference) == pytest.approx(float(cell.judge) - float(cell.labels))
        back = found.cell(cell.against, cell.style)
        assert float(back.judge) == pytest.approx(1 - float(cell.judge))
