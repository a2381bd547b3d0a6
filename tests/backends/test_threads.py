"""What a machine computes fastest with is measured once and then belongs to the run."""

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from judgesmith.backends.threads import choose_bf16, choose_threads
from judgesmith.runs.jsonl import write_json

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_a_stored_choice_is_not_measured_again(tmp_path: Path) -> None:
    """No machine would measure 3 threads and bf16 worth it here, so only the file can say so."""
    store = tmp_path / "machine.json"
    write_json(store, {"torch_threads": 3, "bf16": True})
    assert choose_threads(store) == 3
    assert torch.get_num_threads() == 3
    assert choose_bf16(store) is True
    assert orjson.loads(store.read_bytes()) == {"torch_threads": 3, "bf16": True}


def test_no_more_threads_than_the_environment_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    store = tmp_path / "machine.json"
    assert choose_threads(store) == 1
    assert set(orjson.loads(store.read_bytes())["probe_s"]) == {"1"}


def test_both_choices_share_one_file_in_either_order(tmp_path: Path) -> None:
    store = tmp_path / "machine.json"
    faster = choose_bf16(store)
    threads = choose_threads(store)
    stored = orjson.loads(store.read_bytes())
    assert (stored["bf16"], stored["torch_threads"]) == (faster, threads)
    timings = stored["bf16_probe_s"]
    assert (
        faster == (2 * timings["bfloat16"] <= timings["float32"])
        or abs(2 * timings["bfloat16"] - timings["float32"]) < 3e-4
    )  # the stored timings are rounded
