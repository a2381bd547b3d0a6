import json

import pytest
from scipy.stats import fisher_exact

from judgesmith.audits.finding import Severity
from judgesmith.audits.rubric import TwiceJudged, rubric_findings, rubric_table
from judgesmith.errors import DataError, RecipeError


def judged(bucket: str, pairs: str) -> list[TwiceJudged]:
    """Pairs of letters, teacher then person, T for a tie: "AA AT"."""
    names = {"T": "TIE"}
    return [
        TwiceJudged(f"{bucket}:{i}", bucket, names.get(t, t), names.get(p, p))
        for i, (t, p) in enumerate(pairs.split())
    ]


EASY = judged("easy", "AA BB TT " * 20 + "AT TA AB")


def test_a_conflict_in_one_direction_is_an_error_where_most_verdicts_differ() -> None:
    items = EASY + judged("odd", "AT BT " * 10 + "AA BB TT TA")
    table = rubric_table(items)
    row = next(row for row in table.buckets if row.bucket == "odd")
    assert (row.n, row.agree, row.conflicts, row.reverse) == (24, 3, 20, 1)
    assert (row.teacher_says, row.person_says) == ("a response", "TIE")
    expected = fisher_exact([[21, 3], [3, 60]], alternative="greater").pvalue
    assert row.concentration_p == pytest.approx(expected)
    found = rubric_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.ERROR, 20, 24)]
    assert found[0].examples == ("odd:0", "odd:1", "odd:2", "odd:3", "odd:4")


def test_a_conflict_on_a_minority_is_a_warning() -> None:
    found = rubric_findings(rubric_table(EASY + judged("odd", "AT " * 12 + "AA BB TT " * 6)))
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 12, 30)]


def test_noise_in_both_directions_is_no_conflict() -> None:
    noisy = EASY + judged("odd", "AT TA " * 8 + "AA " * 8)
    assert rubric_findings(rubric_table(noisy)) == ()


def test_opposite_letters_have_no_direction() -> None:
    table = rubric_table(EASY + judged("odd", "AB BA " * 8 + "AA " * 8))
    row = next(row for row in table.buckets if row.bucket == "odd")
    assert (row.person_says, row.conflicts, row.direction_p) == ("the other response", 16, 1.0)
    assert rubric_findings(table) == ()


def test_one_direction_everywhere_is_no_conflict_of_one_bucket() -> None:
    items = judged("x", "AT " * 15 + "AA " * 15) + judged("y", "AT " * 15 + "AA " * 15)
    assert rubric_findings(rubric_table(items)) == ()


def test_one_bucket_alone_is_reported_only_below_one_half() -> None:
    assert len(rubric_findings(rubric_table(judged("x", "AT " * 20 + "AA " * 4)))) == 1
    assert rubric_findings(rubric_table(judged("x", "AT " * 12 + "AA " * 12))) == ()


def test_no_items_and_bad_settings() -> None:
    assert rubric_findings(rubric_table([])) == ()
    with pytest.raises(DataError, match="two different slots"):
        rubric_table([], slots=("A", "A"))
    with pytest.raises(RecipeError, match="level"):
        rubric_findings(rubric_table([]), level=5)


def test_the_table_is_json() -> None:
    stored = json.loads(json.dumps(rubric_table(EASY).to_dict()))
    assert stored["buckets"][0]["agree"] == 60
    assert stored["buckets"][0]["concentration_p"] is None
