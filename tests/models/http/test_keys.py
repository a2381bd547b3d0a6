"""Keys are found where the recipe says, and are in no message."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.errors import RecipeError
from judgesmith.models.http.keys import HIDDEN, find_key, redact
from judgesmith.runs.endpoint import Endpoint

SECRET = "sk-live-0123456789abcdef"


def endpoint(**said: object) -> Endpoint:
    return Endpoint.model_validate(
        {
            "protocol": "openai",
            "url": "http://localhost:1/v1",
            "model": "m",
            "price": "free",
            **said,
        }
    )


def message_of(said: Endpoint, run_folder: Path | None = None) -> str:
    with pytest.raises(RecipeError) as caught:
        find_key(said, run_folder)
    text = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    assert SECRET not in text
    return text


def test_no_key_is_named() -> None:
    assert find_key(endpoint()) is None


def test_a_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", f" {SECRET}\n")
    said = endpoint(key_env="TEACHER_KEY")
    assert find_key(said) == SECRET
    assert SECRET not in repr(said)


def test_a_variable_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEACHER_KEY", raising=False)
    text = message_of(endpoint(key_env="TEACHER_KEY"))
    assert "'TEACHER_KEY'" in text
    assert "export" in text


@pytest.mark.parametrize("name", ["key_env", "key_file"])
@pytest.mark.parametrize("literal", [SECRET, "AIzaSy0123456789abcd"])
def test_a_key_in_place_of_a_name_is_refused_and_not_shown(name: str, literal: str) -> None:
    with pytest.raises(ValidationError, match="not shown") as caught:
        endpoint(**{name: literal})
    assert literal not in f"{caught.value!s} {caught.value!r}"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_key(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", text)
    assert "found it empty" in message_of(endpoint(key_env="TEACHER_KEY"))
    (tmp_path / "key").write_text(text)
    assert "found it empty" in message_of(endpoint(key_file=str(tmp_path / "key")))


@pytest.mark.parametrize(
    "text", [f"KEY {SECRET}", f"{SECRET}\n{SECRET}", f"{SECRET}\x00", f"{SECRET}é"]
)
def test_a_file_with_more_than_a_key(text: str, tmp_path: Path) -> None:
    """A line break in a key would end the header that it is sent in."""
    (tmp_path / "key").write_text(text)
    assert f"{len(text)} characters (not shown)" in message_of(
        endpoint(key_file=str(tmp_path / "key"))
    )


def test_a_key_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(SECRET + "\n")
    run = tmp_path / "run"
    assert find_key(endpoint(key_file=str(tmp_path / "key")), run) == SECRET
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_key(endpoint(key_file="~/key"), run) == SECRET
    monkeypatch.chdir(tmp_path)
    assert find_key(endpoint(key_file="key"), run) == SECRET


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "found none there" in message_of(endpoint(key_file=str(tmp_path / "no.key")))
    assert "directory" in message_of(endpoint(key_file=str(tmp_path)))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "other bytes" in message_of(endpoint(key_file=str(tmp_path / "binary")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    (tmp_path / "key").chmod(0)
    assert "denied" in message_of(endpoint(key_file=str(tmp_path / "key")))


def test_a_key_file_inside_the_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    (run / "labels").mkdir(parents=True)
    outside.mkdir()
    (run / "labels" / "key").write_text(SECRET)
    (outside / "key").write_text(SECRET)
    (outside / "leads_in").symlink_to(run / "labels" / "key")
    (run / "leads_out").symlink_to(outside / "key")
    (tmp_path / "same_run").symlink_to(run)
    monkeypatch.chdir(run)
    for name in (
        run / "labels" / "key", outside / "leads_in", run / "leads_out",
        outside / ".." / "run" / "labels" / "key", tmp_path / "same_run" / "leads_out",
        "labels/key",
    ):  # fmt: skip
        assert "outside the run folder" in message_of(endpoint(key_file=str(name)), run)
    assert find_key(endpoint(key_file=str(outside / "key")), run) == SECRET
    assert find_key(endpoint(key_file=str(outside / "key")), Path("..") / "run") == SECRET


def test_redact_hides_what_servers_quote() -> None:
    assert redact(f"wrong key: {SECRET}.", SECRET) == "wrong key: [key]."
    assert redact(f"Bearer {SECRET[:-3]}", SECRET) == "Bearer [key]"
    assert redact("sk-live-****cdef", SECRET) == "[key]****cdef"
    assert redact("?key=a%2Fb%2Bc", "a/b+c") == "?key=[key]"
    assert redact("no key here", SECRET) == "no key here"
    assert redact("", SECRET) == ""


def test_a_placeholder_is_no_secret() -> None:
    assert redact("unexpected", "x") == "unexpected"
    assert redact("unexpected", None) == "unexpected"
    assert redact("unexpected", "") == "unexpected"


@given(
    key=st.text("abAB01-_/+", min_size=8, max_size=40),
    around=st.tuples(st.text(max_size=20), st.text(max_size=20)),
    cut=st.integers(0, 40),
)
def test_no_long_piece_of_a_key_survives(key: str, around: tuple[str, str], cut: int) -> None:
    shown = redact(f"{around[0]}{key}{around[1]}{key[cut:]} {key[:cut]}", key)
    assert not any(key[i : i + 8] in shown for i in range(len(key) - 7))
    assert HIDDEN in shown
