"""Defect 6: DPO against the wrong reference; margin 88 before the first step; loss saturated.

Planted: the reference is the model one training step earlier (the published run measured against
the base model, where the SFT student was asked for); rejected replies that the student would never
give; a learning rate that ruins the student.
"""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends import sft_trl
from judgesmith.backends.dpo_trainer import Training
from judgesmith.backends.dpo_trl import Trained, train_dpo
from judgesmith.backends.loading import load
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.errors import TrainingError
from judgesmith.records import Message, PreferenceRow, SftRow, Split

pytestmark = pytest.mark.slow
WRONG_TASK = "The essay is vivid and its imagery is fresh, so it deserves a good mark. " * 2


def row(n: int, side: Split, rejected: str) -> PreferenceRow:
    return PreferenceRow.make(
        source="t", licence="n", item_id=f"{side}{n}", order=(0, 1), split=side, dialect="d",
        prompt=(Message(role="user", content=f"Response A: {n}. Response B: not {n}. Biased?"),),
        chosen="<reasoning>A is fair.</reasoning><verdict>A</verdict>", rejected=rejected,
        how_made="by hand",
    )  # fmt: skip


def rows(side: Split, count: int, *, plausible: bool = True) -> list[PreferenceRow]:
    """Rejected replies argue for the other verdict, or for another question altogether."""
    rejected = "<reasoning>A is fair.</reasoning><verdict>B</verdict>"
    if not plausible:
        rejected = f"<reasoning>{WRONG_TASK}</reasoning><verdict>B</verdict>"
    return [row(n, side, rejected) for n in range(count)]


@pytest.fixture(scope="module")
def sft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that learned to reply in form, and says A as often as B."""
    load("torch").set_num_threads(1)
    before, folder = (tmp_path_factory.mktemp(name) for name in ("before", "sft"))
    learned = [
        SftRow.make(
            source="t", licence="n", item_id=row.item_id, order=(0, 1), split=Split.TRAIN,
            dialect="d", prompt=row.prompt, completion=reply,
        )
        for row in rows(Split.TRAIN, 16)
        for reply in (row.chosen, row.rejected)
    ]  # fmt: skip
    texts = [text for row in learned for text in (row.prompt[0].content, row.completion)]
    size = FromNothing(width=32, layers=1, heads=2, vocabulary=300, context=512)
    build_student(size, [*texts, WRONG_TASK], before, seed=5)
    training = sft_trl.Training(
        base=str(before), folder=folder, learning_rate=0.01, batch=8, steps=40, eval_every=40,
        max_length=512, seed=7, trl={}, peft=None,
    )  # fmt: skip
    sft_trl.train_sft(training, learned, [], lambda model: None)
    return folder / "student"


def train(base: Path, folder: Path, *, plausible: bool = True, **changed: Any) -> Trained:
    training = Training(
        base=str(base), reference=str(base), folder=folder, learning_rate=0.001, batch=4, steps=4,
        beta=0.1, eval_every=1, max_length=512, seed=7, trl={}, peft=None,
    )._replace(**changed)  # fmt: skip
    train_rows, dev_rows = (
        rows(side, count, plausible=plausible)
        for side, count in ((Split.TRAIN, 16), (Split.DEV, 8))
    )
    return train_dpo(training, train_rows, dev_rows, lambda model: None)


@pytest.fixture(scope="module")
def one_step_on(sft: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps of training, of which the first warms up: its rate is zero."""
    folder = tmp_path_factory.mktemp("step")
    train(sft, folder, steps=2, learning_rate=1e-4)
    return folder / "student"


def test_the_frozen_sft_student_is_a_reference(sft: Path, tmp_path: Path) -> None:
    found = train(sft, tmp_path)
    assert found.before["dev"].margin == 0.0
    assert found.before["dev"].loss == pytest.approx(0.6931, abs=1e-4)
    assert found.after["dev"].margin > 0
    assert (tmp_path / "student").is_dir()


@pytest.mark.parametrize("turned_round", [False, True])
def test_a_reference_one_step_away_is_caught(
    sft: Path, one_step_on: Path, tmp_path: Path, turned_round: bool
) -> None:
    """The step moved each weight by no more than a ten-thousandth."""
    base, reference = (sft, one_step_on) if turned_round else (one_step_on, sft)
    with pytest.raises(TrainingError, match="reference is not the model that training starts from"):
        train(base, tmp_path, reference=str(reference))
    assert list(tmp_path.iterdir()) == []


def test_rows_with_nothing_to_learn_stop_the_run(sft: Path, tmp_path: Path) -> None:
    """The planted rows: each rejected reply is about an essay that nobody asked for."""
    with pytest.raises(TrainingError, match=r"nothing to learn.*100\.0% of 8 dev pairs.*plausible"):
        train(sft, tmp_path, plausible=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", [3.0, 1e12])
def test_a_collapse_stops_the_run_with_its_numbers(sft: Path, tmp_path: Path, rate: float) -> None:
    with pytest.raises(TrainingError, match=r"less likely than before|margin is|not finite|is nan"):
        train(sft, tmp_path, learning_rate=rate)
    assert list(tmp_path.iterdir()) == []
