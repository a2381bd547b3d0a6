import pytest

from judgesmith.audits import Limit, Severity, SupplyCount, supply_findings, supply_rows
from judgesmith.errors import DataError


@pytest.mark.parametrize(
    ("pool", "ceiling", "quota", "filled", "limit"),
    [
        (100, 90, 80, 80, Limit.NONE),
        (50, 40, 80, 40, Limit.POOL),
        (100, 60, 80, 60, Limit.CAPS),
        (100, 90, 80, 70, Limit.TAKEN),
        (0, 0, 80, 0, Limit.POOL),
        (5, 5, 0, 0, Limit.NONE),
    ],
)
def test_shortfall_and_its_cause(
    pool: int, ceiling: int, quota: int, filled: int, limit: Limit
) -> None:
    (row,) = supply_rows([SupplyCount("subtle", pool, ceiling, quota, filled)])
    assert (row.shortfall, row.limiting) == (quota - filled, limit)
    assert row.to_dict()["limiting"] == limit.value
    assert len(supply_findings([row])) == (quota > filled)


@pytest.mark.parametrize(
    ("pool", "ceiling", "quota", "filled"),
    [(10, 11, 5, 5), (10, 8, 20, 9), (10, 10, 5, 6), (10, 10, 5, -1)],
)
def test_counts_that_do_not_belong_together_are_refused(
    pool: int, ceiling: int, quota: int, filled: int
) -> None:
    with pytest.raises(DataError, match="bucket 'subtle'"):
        SupplyCount("subtle", pool, ceiling, quota, filled)


def test_a_short_bucket_warns_and_an_empty_one_stops() -> None:
    rows = supply_rows(
        [
            SupplyCount("full", 10, 10, 10, 10),
            SupplyCount("short", 100, 60, 80, 60),
            SupplyCount("empty", 0, 0, 5, 0),
            SupplyCount("late", 100, 90, 80, 10),
        ]
    )
    short, empty, late = supply_findings(rows, ingredients={"short": "hedged biased responses"})
    assert (short.severity, short.count, short.of) == (Severity.WARNING, 20, 80)
    assert short.message == (
        "short: 60 of 80 items (20 short; pool 100, at most 60 under the caps; limited by: caps)"
    )
    assert short.remedy.startswith("generate more hedged biased responses for other questions")
    assert (empty.severity, empty.count, empty.of) == (Severity.ERROR, 5, 5)
    assert "generate more responses that make 'empty' items" in empty.remedy
    assert "fill this bucket earlier" in late.remedy
