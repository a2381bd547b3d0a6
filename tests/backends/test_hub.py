"""Data sets by their name on the hub: what is cached, and what is said without a network."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from judgesmith.backends import hub
from judgesmith.errors import DataError
from judgesmith.stages import questions

NAME = "hf://datasets/owner/set"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


@pytest.mark.parametrize(
    ("text", "folder", "file"),
    [
        (f"{NAME}/rows.jsonl", r"owner--set", "rows.jsonl"),
        (NAME, r"owner--set~\w{16}", "train.jsonl"),
        (f"{NAME}#test_prefs", r"owner--set~\w{16}", "test_prefs.jsonl"),
        (f"{NAME}@v1.0/data/rows.json", r"owner--set@v1\.0~\w{16}", "data--rows.jsonl"),
        (f"{NAME}/rows-*.parquet", r"owner--set~\w{16}", "rows-_all_.parquet"),
        ("hf://owner/my.set-2/a.jsonl", r"owner--my\.set-2", "a.jsonl"),
    ],
)
def test_a_name_has_one_place(text: str, folder: str, file: str, cache: Path) -> None:
    place = hub.cached_at(hub.parse_name(text))
    assert place == hub.cached_at(hub.parse_name(text.replace("hf://datasets/", "hf://")))
    assert (place.parent.parent, place.name) == (cache, file)
    assert re.fullmatch(folder, place.parent.name)


def test_no_two_names_share_a_place() -> None:
    """Each pair was one place once, or is one where letter case does not count."""
    names = [
        NAME, f"{NAME}/train.jsonl", f"{NAME}/train.json", f"{NAME}/train.csv",
        f"{NAME}/train.jsonl.gz", f"{NAME}/Train.jsonl", f"{NAME}/TRAIN.jsonl", f"{NAME}#Train",
        f"{NAME}/a/b.jsonl", f"{NAME}/a--b.jsonl", f"{NAME}/A/b.jsonl",
        f"{NAME}/r*.jsonl", f"{NAME}/r_all_.jsonl",
        f"{NAME}@v1/x/rows.jsonl", f"{NAME}@v1--x/rows.jsonl", f"{NAME}@V1--x/rows.jsonl",
        "hf://Owner/set/train.jsonl", "hf://owner/Set/train.jsonl",
        "hf://a/b_c/x.jsonl", "hf://a_b/c/x.jsonl", "hf://a/b--c/x.jsonl", "hf://a--b/c/x.jsonl",
        "hf://a-/b/x.jsonl", "hf://a/-b/x.jsonl",
    ]  # fmt: skip
    places = [str(hub.cached_at(hub.parse_name(name))).lower() for name in names]
    assert len(set(places)) == len(names)
    assert hub.cached_at(hub.parse_name(NAME)) == hub.cached_at(hub.parse_name(f"{NAME}#train"))


def test_files_that_would_be_kept_under_one_name_are_refused() -> None:
    name = hub.parse_name(f"{NAME}/rows.*")
    hub._require_apart(name, ["rows.csv", "data/rows.csv"])
    with pytest.raises(DataError, match=r"found rows\.csv and Rows\.json\. Name one"):
        hub._require_apart(name, ["rows.csv", "other.csv", "Rows.json"])


@pytest.mark.parametrize("text", ["hf://set", "hf://datasets/set", f"{NAME}/a.json#train", "hf://"])
def test_a_name_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="expected hf://datasets/OWNER/NAME"):
        hub.find_source(text)


def test_what_lies_in_the_cache_is_read_without_a_network(cache: Path) -> None:
    """Put there by hand, or fetched before: the stages read it as any file."""
    place = cache / "owner--set" / "rows.jsonl"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"prompt": "Why?", "chosen": "So.", "rejected": "No."}))
    source = questions.Source(kind="preferences", path=f"{NAME}/rows.jsonl")
    assert questions.outside(questions.Config(sources=(source,))) == {f"{NAME}/rows.jsonl": place}


def test_other_paths_are_looked_for_on_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("{}")
    assert hub.find_source(str(file)) == file


@pytest.mark.wide
def test_without_a_network_it_says_what_to_do(cache: Path) -> None:
    """In a process of its own: the library reads at its start whether it may use the network."""
    code = (
        "from judgesmith.backends.hub import fetch_dataset\n"
        "from judgesmith.errors import DataError\n"
        "for name in ('hf://datasets/owner/set/rows.jsonl', 'hf://datasets/owner/set/r*.jsonl'):\n"
        "    try:\n"
        "        fetch_dataset(name)\n"
        "    except DataError as error:\n"
        "        print(error)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PATH": "", "HF_HUB_OFFLINE": "1", "HOME": str(cache),
             "JUDGESMITH_CACHE": str(cache.parent)},
    )  # fmt: skip
    one, two = found.stdout.strip().split("\n")
    for line, file in ((one, r"owner--set/rows\.jsonl"), (two, r"owner--set~\w+/r_all_\.jsonl")):
        assert "could not be fetched from the Hugging Face hub" in line
        assert "hf download owner/set --repo-type dataset --local-dir FOLDER" in line
        assert re.search(f"put it there as {re.escape(str(cache))}/{file}\\.", line)
    assert not list(cache.rglob("*.jsonl"))


@pytest.mark.wide
def test_rows_come_through_the_library_into_one_file(cache: Path, tmp_path: Path) -> None:
    """By a local folder in place of the hub's: the same call, and the same rows."""
    datasets = pytest.importorskip("datasets")
    folder = tmp_path / "owner"
    (folder / "set").mkdir(parents=True)
    rows = [{"prompt": f"Why {n}?", "score": [1.0, n]} for n in range(5)]
    (folder / "set" / "rows.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    streamed = datasets.load_dataset(
        str(folder / "set"), data_files="rows.jsonl", split="train", streaming=True
    )
    hub._write(streamed, cache / "rows.jsonl")
    assert [json.loads(x) for x in (cache / "rows.jsonl").read_text().splitlines()] == rows
    assert [p.name for p in cache.iterdir()] == ["rows.jsonl"]
