"""Keys: made once, kept as hashes, compared whole."""

import stat
from pathlib import Path

import pytest

from judgesmith.errors import DataError
from judgesmith.serving.keys import Keys, new_key
from judgesmith.web.keys import hash_key


def test_a_key_is_known_by_its_hash_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    first, second = new_key(path), new_key(path)
    held = path.read_text()
    assert held.splitlines() == [f"sha256:{hash_key(key)}" for key in (first, second)]
    assert first not in held
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys = Keys.read(path)
    assert keys.admit(f"Bearer {first}")
    assert keys.admit(f"bearer {second}")
    for wrong in (None, "", first, f"Basic {first}", f"Bearer {first}x", "Bearer ", "Bearer é"):
        assert not keys.admit(wrong), wrong


def test_a_file_may_name_its_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# our clients\n\nsha256:{hash_key('one')} the nightly run")  # no end of line
    added = new_key(path)
    keys = Keys.read(path)
    assert keys.admit("Bearer one")
    assert keys.admit(f"Bearer {added}")


@pytest.mark.parametrize("content", ["jsk_secret\n", "sha256:12\n", f"{'0' * 64}\n", "\n"])
def test_a_file_of_something_else_is_refused_and_not_repeated(content: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        Keys.read(path)
    assert str(path) in str(caught.value)
    assert "jsk_secret" not in str(caught.value)


def test_a_file_of_something_else_is_not_added_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk\n")
    with pytest.raises(DataError, match=r"notes\.txt:1"):
        new_key(path)
    assert path.read_text() == "remember the milk\n"


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--new-key"):
        Keys.read(tmp_path / "none")
