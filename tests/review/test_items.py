"""What a file's rows become."""

from pathlib import Path

import pytest
from people import PAIR

from judgesmith.errors import DataError
from judgesmith.review.encoding import item_of, parts_of
from judgesmith.review.items import about_dialect, items_of_file


def test_a_files_own_bucket_is_its_stratum_and_is_withheld(tmp_path: Path) -> None:
    source = tmp_path / "pairs.csv"
    source.write_text(
        "question,response_a,response_b,bucket,category\nQ1?,x,y,hidden,age\nQ2?,x,y,,\n"
    )
    first, second = items_of_file(source, PAIR)
    assert (first.bucket, first.category, first.stratum) == ("hidden", "age", "hidden")
    assert (second.bucket, second.category, second.stratum) == (None, None, "all")
    shown, withheld = parts_of(first)
    assert b"hidden" not in shown
    assert item_of(shown, withheld) == first


def test_a_dialect_without_a_rubric_is_refused_in_words() -> None:
    with pytest.raises(DataError, match="has no rubric in words"):
        about_dialect("x", "x", PAIR.model_copy(update={"system": None, "reply_form": None}))
