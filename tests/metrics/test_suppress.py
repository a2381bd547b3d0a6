import pytest

from judgesmith.errors import DataError
from judgesmith.metrics import not_shown_because


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["A", "B"] * 10, None),
        (["A"] * 18 + ["B"] * 2, None),  # exactly 90% is allowed
        (["A"] * 19 + ["B"], "the label 'A' holds 19 of 20 labels (95%), more than 90%"),
        (["A", "B"] * 9 + ["A"], "only 19 labels, fewer than 20"),
        (["A"], "only 1 label, fewer than 20"),
        ([], "only 0 labels, fewer than 20"),
    ],
)
def test_the_rule(labels: list[str], reason: str | None) -> None:
    assert not_shown_because(labels) == reason


def test_the_limits_are_settings() -> None:
    assert not_shown_because(["A"] * 3, least=2, largest_share=1) is None
    with pytest.raises(DataError, match="largest_share=0"):
        not_shown_because(["A"], largest_share=0)
    with pytest.raises(DataError, match=r"labels\[0\] is None"):
        not_shown_because([None], least=1)
