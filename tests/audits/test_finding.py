import json
from dataclasses import FrozenInstanceError, replace

import pytest

from judgesmith.audits import Finding, Severity, stop_on_errors
from judgesmith.errors import AuditError, DataError

FOUND = Finding(
    audit="leak",
    severity=Severity.ERROR,
    message="2 of 3 evaluation items share their question with training",
    count=2,
    of=3,
    examples=("e1 ~ t1", "e2 ~ t2"),
    effect="the judge can recall",
    remedy="split by question",
)


def test_a_finding_is_json() -> None:
    assert json.loads(json.dumps(FOUND.to_dict())) == {
        "audit": "leak",
        "severity": "error",
        "message": "2 of 3 evaluation items share their question with training",
        "count": 2,
        "of": 3,
        "examples": ["e1 ~ t1", "e2 ~ t2"],
        "effect": "the judge can recall",
        "remedy": "split by question",
    }


def test_a_finding_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        FOUND.count = 0  # type: ignore[misc]


@pytest.mark.parametrize(("count", "of"), [(4, 3), (-1, 3), (1, 0)])
def test_a_count_that_does_not_fit_its_denominator_is_refused(count: int, of: int) -> None:
    with pytest.raises(DataError, match=f"count={count}, of={of}"):
        replace(FOUND, count=count, of=of)


def test_more_examples_than_anyone_reads_are_refused() -> None:
    with pytest.raises(DataError, match="found 6"):
        replace(FOUND, examples=("x",) * 6)


def test_only_errors_stop_and_all_of_them_are_said() -> None:
    warning = replace(FOUND, severity=Severity.WARNING, message="a doubt")
    stop_on_errors([warning, replace(warning, severity=Severity.INFO)])
    second = replace(FOUND, message="another", examples=())
    with pytest.raises(AuditError) as stopped:
        stop_on_errors([warning, FOUND, second])
    text = str(stopped.value)
    assert "2 of 3 evaluation items share" in text
    assert "e1 ~ t1, e2 ~ t2" in text
    assert "what to do: split by question" in text
    assert "leak: another\n" in text
    assert "a doubt" not in text
