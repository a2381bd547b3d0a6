import dataclasses
import json

import pytest

from judgesmith.errors import DataError
from judgesmith.metrics import Confusion, Estimate


def test_a_value_and_a_reason_exclude_each_other() -> None:
    with pytest.raises(DataError, match="a value or the reason"):
        Estimate(0.5, None, None, n=3, undefined="no rows")
    with pytest.raises(DataError, match="a value or the reason"):
        Estimate(None, None, None, n=3)


def test_an_interval_has_both_ends() -> None:
    with pytest.raises(DataError, match="both ends"):
        Estimate(0.5, 0.4, None, n=3)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_no_field_can_be_nan(bad: float) -> None:
    with pytest.raises(DataError, match="finite"):
        Estimate(bad, None, None, n=3)
    with pytest.raises(DataError, match="finite"):
        Estimate(0.5, bad, 0.6, n=3)


def test_float_of_an_undefined_value_says_why() -> None:
    with pytest.raises(DataError, match="because: no rows"):
        float(Estimate.missing("no rows", n=0))


def test_an_estimate_is_plain_json() -> None:
    fields = dataclasses.asdict(Estimate(0.5, 0.25, 0.75, n=8, clusters=4))
    assert json.loads(json.dumps(fields, allow_nan=False))["low"] == 0.25


def test_confusion_names_an_unknown_label() -> None:
    with pytest.raises(DataError, match="expected one of"):
        Confusion(("A",), ((1,),)).count("A", "B")
