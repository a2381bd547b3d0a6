"""What the training benchmark measures, on a few short rows: both sides learn from the same."""

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of the folder of benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import training, training_rows, training_sides

    return SimpleNamespace(table=training, rows=training_rows, sides=training_sides)


def test_lengths_follow_their_percentiles(training: Any) -> None:
    """Of a kind with median 355 and 319, half of the prompts and replies are below."""
    draw = random.Random(3)
    drawn = [training.rows.draw_lengths("auto-j", draw) for _ in range(4000)]
    for side, (table, middle) in enumerate(zip(training.rows.LENGTHS["auto-j"], (355, 319))):  # noqa: B905
        lengths = sorted(pair[side] for pair in drawn)
        assert table[0] <= lengths[0]
        assert lengths[-1] <= table[-1]
        assert lengths[2000] == pytest.approx(middle, rel=0.06)


def test_padding_by_hand(training: Any) -> None:
    """Rows of 2 and 6 tokens, then 4 and 4: 12 and 8 padded tokens for 16 of rows."""
    rows = [SimpleNamespace(length=n) for n in (2, 6, 4, 4)]
    assert training.sides._padding(rows, 2) == 20 / 16


def test_the_ratio_and_the_distance_by_hand(
    training: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ratios 2, 3 and 4; the losses of the second batch are .01 apart."""

    def found(speed: float, loss: float) -> dict[str, Any]:
        return {
            "tokens_per_second": speed, "wall": speed, "padding": 2.0, "share": 0.1,
            "peak_mib": 1.0, "losses": [1.0, loss],
        }  # fmt: skip

    padded = [found(10, 2.0)] * 3
    packed = [found(20, 2.0), found(40, 2.01), found(30, 2.0)]
    assert training.table.print_row("x", padded, packed) == 3
    assert "| 3.00 (2.00 to 4.00) | 3.00 |" in capsys.readouterr().out
    assert training.table.apart(padded, packed) == pytest.approx(0.01)


@pytest.mark.slow
def test_both_sides_have_the_same_losses(training: Any, tmp_path: Path) -> None:
    """TRL's own trainer on padded batches, and ours on packed ones."""
    job = training.sides.Job(str(tmp_path), "small", "bias pair", 4, 3, 512, 1)
    training.sides.build(job)
    padded, packed = (training.sides.measure(job, side) for side in ("padded", "packed"))
    assert len(padded["losses"]) == 3
    assert packed["losses"] == pytest.approx(padded["losses"], abs=1e-3)
    assert padded["losses"][2] < padded["losses"][0]
    assert padded["padding"] == packed["padding"] > 1


def test_the_large_one_needs_a_gpu(training: Any, tmp_path: Path) -> None:
    from judgesmith.backends.loading import load

    if load("torch").cuda.is_available():
        pytest.skip("there is one")
    job = training.sides.Job(str(tmp_path), "4b", "judgelm", 4, 3, 512, 1)
    with pytest.raises(SystemExit, match="needs a GPU"):
        training.sides.build(job)
