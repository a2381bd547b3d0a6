"""The dialects of a trained folder travel with it, and a changed one is refused."""

from pathlib import Path

import pytest

from judgesmith.backends.origin import Origin, model_path, require_trained_in
from judgesmith.errors import DataError
from judgesmith.judging.library import LIBRARY

NOW, OTHER = LIBRARY["judgelm"], LIBRARY["prometheus-relative"]


def origin(**dialects: str) -> Origin:
    return Origin(dialects=dialects, base="b", base_hash=None, reply_tokens=None)


def test_the_same_dialect_by_whatever_name_is_asked() -> None:
    require_trained_in(origin(judgelm=NOW.hash), NOW, student="s")
    require_trained_in(origin(mine=NOW.hash), NOW, student="s")


@pytest.mark.parametrize("unknown", [None, origin()])
def test_a_student_that_was_not_trained_here_is_asked_in_any(unknown: Origin | None) -> None:
    require_trained_in(unknown, NOW, student="s")


@pytest.mark.parametrize("strangers", [True, False])
def test_one_name_with_another_hash_is_refused_everywhere(strangers: bool) -> None:
    with pytest.raises(DataError, match=rf"'judgelm' \(0123\), and 'judgelm' is now {NOW.hash}"):
        require_trained_in(origin(judgelm="0123"), NOW, student="s", strangers=strangers)


def test_another_dialect_is_asked_only_where_strangers_may_be() -> None:
    require_trained_in(origin(judgelm=NOW.hash), OTHER, student="s", strangers=True)
    with pytest.raises(DataError, match=r"student 's' was trained in dialect 'judgelm'"):
        require_trained_in(origin(judgelm=NOW.hash), OTHER, student="s")


def test_a_folder_may_point_to_a_model(tmp_path: Path) -> None:
    assert model_path(tmp_path) == str(tmp_path)
    (tmp_path / "path.txt").write_text("owner/model\n")
    assert model_path(tmp_path) == "owner/model"
