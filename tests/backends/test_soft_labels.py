"""Soft labels: losses and gradients by hand, and where a verdict stands in a reply."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.encode import encode_reply
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.backends.soft_labels import (
    NO_TOKEN,
    Soft,
    loss_sum,
    soft_label,
    soft_labels,
    soft_tensors,
)
from judgesmith.errors import DataError

OPENING = "<verdict>"


def two_tokens(logits: Any, chances: list[float], weight: float) -> Any:
    """One line, two predicted tokens: the first is token 2, hard; the second is soft over 0, 1."""
    torch = __import__("torch")
    labels = torch.tensor([[2, 0]])
    soft = {
        "soft_places": torch.tensor([[0, 2]]),
        "soft_options": torch.tensor([[0, 1]]),
        "soft_chances": torch.tensor([chances]),
    }
    return loss_sum(logits, labels, soft, torch.tensor([0, 1]), weight)


def test_loss_and_gradient_by_hand() -> None:
    """All logits 0 over 4 tokens, so p = 1/4 everywhere.

    The hard token costs ln 4. At the soft one q = (.75, .25): KL = .75 ln 3 + .25 ln 1 = .75 ln 3.
    Its gradient by the logits is p - q: (-.5, 0, .25, .25), times the weight of 2.
    """
    torch = __import__("torch")
    logits = torch.zeros(1, 2, 4, requires_grad=True)
    loss = two_tokens(logits, [0.75, 0.25], weight=2.0)
    assert loss.item() == pytest.approx(math.log(4) + 2 * 0.75 * math.log(3))
    loss.backward()
    assert logits.grad is not None
    assert logits.grad[0, 0].tolist() == pytest.approx([0.25, 0.25, -0.75, 0.25])
    assert logits.grad[0, 1].tolist() == pytest.approx([-1.0, 0.0, 0.5, 0.5])


def test_one_certain_verdict_is_the_hard_loss() -> None:
    torch = __import__("torch")
    logits = torch.randn(1, 2, 4, generator=torch.Generator().manual_seed(1))
    hard = torch.nn.functional.cross_entropy(logits[0], torch.tensor([2, 0]), reduction="sum")
    assert two_tokens(logits, [1.0, 0.0], weight=1.0).item() == pytest.approx(hard.item())


def test_the_place_of_a_verdict_in_the_reply(student: Any, train_rows: Any) -> None:
    tokenizer, row = student[1], train_rows[0]
    found = soft_label(tokenizer, row, opening=OPENING, chances={"A": 0.7, "B": 0.3})
    assert found is not None
    reply = encode_reply(tokenizer, row.completion)
    assert tokenizer.decode(reply[found.position]) == "A"
    assert [tokenizer.decode(token) for token in found.options] == ["A", "B"]
    assert found.chances == (0.7, 0.3)


@pytest.mark.parametrize(
    ("chances", "opening"),
    [
        ({"A": 0.7, "AND more words": 0.3}, OPENING),  # one begins the other
        ({"B": 0.7, "C": 0.3}, OPENING),  # the reply's own verdict has none
        ({"A": 0.7, "B": 0.3}, "<score>"),  # no verdict there
    ],
)
def test_rows_that_keep_their_hard_label(
    student: Any, train_rows: Any, chances: dict[str, float], opening: str
) -> None:
    assert soft_label(student[1], train_rows[0], opening=opening, chances=chances) is None


def completed(row: Any, completion: str) -> Any:
    return type(row).make(**{**row.model_dump(exclude={"id"}), "completion": completion})


def test_a_verdict_of_several_tokens_is_told_by_its_first(student: Any, train_rows: Any) -> None:
    """TIE is no word of this tokenizer; and what two verdicts share comes before the token."""
    tokenizer = student[1]
    tie = tokenizer("TIE", add_special_tokens=False)["input_ids"]
    assert len(tie) > 1
    chances = {"A": 0.2, "B": 0.2, "TIE": 0.6}
    row = completed(train_rows[0], "<reasoning>So.</reasoning><verdict>TIE</verdict>")
    found = soft_label(tokenizer, row, opening=OPENING, chances=chances)
    assert found is not None
    assert encode_reply(tokenizer, row.completion)[found.position] == found.options[2] == tie[0]
    named = {"Response 1": 0.3, "Response 2": 0.7}
    row = completed(train_rows[0], "<reasoning>So.</reasoning><verdict>Response 2</verdict>")
    found = soft_label(tokenizer, row, opening=OPENING, chances=named)
    assert found is not None
    assert [tokenizer.decode(token).strip() for token in found.options] == ["1", "2"]


@pytest.mark.parametrize("spelling", ["A", " A", "\n  A "])
def test_white_space_before_a_verdict(student: Any, train_rows: Any, spelling: str) -> None:
    """Where the tokenizer joins it with the letter, the options have the joint tokens, too."""
    tokenizer = student[1]
    row = completed(train_rows[0], f"<reasoning>So.</reasoning><verdict>{spelling}</verdict>")
    found = soft_label(tokenizer, row, opening=OPENING, chances={"A": 0.7, "B": 0.3})
    assert found is not None
    reply = encode_reply(tokenizer, row.completion)
    assert found.options[0] == reply[found.position]
    assert [tokenizer.decode(token).strip()[-1:] for token in found.options] == ["A", "B"]


def test_a_scale_whose_values_share_a_digit_stays_hard(student: Any, train_rows: Any) -> None:
    """Digit by digit 10 takes two tokens, and 1 begins it: no row is soft, whatever it says."""
    tokenizer = student[1]
    assert len(tokenizer("10", add_special_tokens=False)["input_ids"]) == 2
    ten = {str(value): 0.1 for value in range(1, 11)}
    five = {str(value): 0.2 for value in range(1, 6)}
    rows = [completed(train_rows[0], f"<verdict>{value}</verdict>") for value in (1, 5, 10)]
    found, counts = soft_labels(tokenizer, rows, {row.id: ten for row in rows}, opening=OPENING)
    assert (found, counts[NO_TOKEN]) == ({}, 3)
    found, counts = soft_labels(tokenizer, rows, {row.id: five for row in rows}, opening=OPENING)
    assert (list(found), counts[NO_TOKEN]) == ([r.id for r in rows[:2]], 1)


def test_chances_that_are_no_distribution_are_refused(student: Any, train_rows: Any) -> None:
    row = train_rows[0]
    with pytest.raises(DataError, match=rf"row {row.id}.*sum to 1"):
        soft_label(student[1], row, opening=OPENING, chances={"A": 0.7, "B": 0.2})


def test_counts_of_soft_and_hard_rows(student: Any, train_rows: Any) -> None:
    rows = train_rows[:3]
    given = {rows[0].id: {"A": 1.0, "B": 0.0}, rows[1].id: {"B": 0.5, "B or so": 0.5}}
    found, counts = soft_labels(student[1], rows, given, opening=OPENING)
    assert list(found) == [rows[0].id]
    assert list(counts.values()) == [1, 1, 1]


def test_labels_of_different_scales_in_one_batch() -> None:
    """Filled up with chance 0, which adds nothing; a row at column 3, a prompt of 5, place 2."""
    short, long = Soft(2, (7, 8), (0.5, 0.5)), Soft(0, (7, 8, 9), (0.2, 0.2, 0.6))
    found = soft_tensors([(short, (1, 3), 5), (long, (0, 0), 4)])
    assert found["soft_places"].tolist() == [[1, 10], [0, 4]]
    assert found["soft_options"].tolist() == [[7, 8, 0], [7, 8, 9]]
    assert found["soft_chances"][0].tolist() == [0.5, 0.5, 0.0]


@pytest.mark.slow
@pytest.mark.parametrize("packing", ["none", "bfd"])
def test_training_on_certain_soft_labels_is_training_on_hard_ones(
    packing: str, bases: Any, training: Callable[..., Training], train_rows: Any, tmp_path: Path
) -> None:
    """Through the whole trainer; and uncertain ones give another student."""
    from judgesmith.backends.weights import load_tokenizer

    base = bases("gemma3")
    tokenizer = load_tokenizer(str(base))
    curves = {}
    for name, sure in (("hard", None), ("soft", 1.0), ("unsure", 0.5)):
        given = {
            row.id: dict(zip("AB" if n % 2 == 0 else "BA", (sure, 1 - sure), strict=True))
            for n, row in enumerate(train_rows)
            if sure is not None
        }
        soft, _ = soft_labels(tokenizer, train_rows, given, opening=OPENING)
        assert len(soft) == len(given)
        job = training(base, tmp_path / name, soft=soft, packing=packing, steps=4)
        log = train_sft(job, train_rows, [], lambda model: None).log
        curves[name] = [entry["train_loss"] for entry in log if "train_loss" in entry]
    assert curves["soft"] == pytest.approx(curves["hard"], abs=1e-4)
    assert curves["unsure"] != pytest.approx(curves["hard"], abs=1e-3)


@pytest.mark.slow
def test_a_student_from_nothing_learns_alike_from_certain_soft_labels(
    student_folder: Path, training: Callable[..., Training], train_rows: Any, student: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    """Its own short way through the loss, in half precision as with hard labels."""
    curves = {}
    for name, sure in (("hard", None), ("soft", 1.0), ("unsure", 0.6)):
        given = {
            row.id: dict(zip("AB" if n % 2 == 0 else "BA", (sure, 1 - sure), strict=True))
            for n, row in enumerate(train_rows)
            if sure is not None
        }
        soft, _ = soft_labels(student[1], train_rows, given, opening=OPENING)
        job = training(student_folder, tmp_path / name, soft=soft, peft=None, bf16=True, steps=4)
        log = train_sft(job, train_rows, [], lambda model: None).log
        curves[name] = [entry["train_loss"] for entry in log if "train_loss" in entry]
    assert curves["soft"] == pytest.approx(curves["hard"], rel=5e-4)
    assert curves["unsure"] != pytest.approx(curves["hard"], rel=2e-3)
