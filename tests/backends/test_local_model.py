"""A local model behind the seam: replies depend on the prompt alone."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from judgesmith.backends.local_model import LocalModel
from judgesmith.errors import ModelError
from judgesmith.models.protocol import Completion, Request, Sampling, Wanted
from judgesmith.records import Finish, Message


def request(text: str, *, tokens: int = 12, wanted: Wanted | None = None) -> Request:
    return Request(
        record_id="r", messages=(Message(role="user", content=text),),
        sampling=Sampling(temperature=0.0, max_tokens=tokens), wanted=wanted,
    )  # fmt: skip


def answers(student: Any, requests: Sequence[Request], batch: int) -> list[Completion]:
    return list(LocalModel("m", loaded=student, batch=batch).complete(requests))


def rounded(found: Sequence[Completion]) -> list[Any]:
    """Replies with probabilities to six places, as records keep them."""
    return [
        (c.text, c.finish, {k: round(p, 5) for k, p in (c.probabilities or {}).items()})
        for c in found
    ]


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    draw = random.Random(1)
    words = [
        "who",
        "was",
        "late",
        "the",
        "old",
        "man",
        "or",
        "the",
        "young",
        "woman",
        "at",
        "the",
        "bank",
        "today",
    ]
    wanted = Wanted(after="", options=("A", "B"))
    texts = [" ".join(draw.choices(words, k=draw.randint(1, 60))) for _ in range(23)]
    return [request(text, wanted=wanted) for text in texts]


@pytest.mark.parametrize("batch", [1, 4, 32])
def test_batching_does_not_change_replies(
    student: Any, requests: list[Request], batch: int
) -> None:
    assert rounded(answers(student, requests, batch)) == rounded(answers(student, requests, 5))


def test_order_does_not_change_replies(student: Any, requests: list[Request]) -> None:
    order = list(range(len(requests)))
    random.Random(2).shuffle(order)
    shuffled = answers(student, [requests[i] for i in order], 4)
    straight = rounded(answers(student, requests, 4))
    assert rounded(shuffled) == [straight[i] for i in order]


def test_the_same_call_twice_gives_the_same_bytes(student: Any, requests: list[Request]) -> None:
    assert answers(student, requests, 4) == answers(student, requests, 4)


def test_probabilities_are_of_the_options_and_sum_to_one(
    student: Any, requests: list[Request]
) -> None:
    for found in answers(student, requests, 4):
        assert found.probabilities is not None
        assert set(found.probabilities) == {"A", "B"}
        assert sum(found.probabilities.values()) == pytest.approx(1.0, abs=1e-6)
        assert all(0 <= p <= 1 for p in found.probabilities.values())


def test_no_probabilities_without_the_opening_or_with_equal_first_tokens(student: Any) -> None:
    absent = request("x", wanted=Wanted(after="<never written>", options=("A", "B")))
    alike = request("x", wanted=Wanted(after="", options=("A", "A")))
    assert [c.probabilities for c in answers(student, [absent], 4)] == [None]
    assert [c.probabilities for c in answers(student, [alike], 4)] == [None]


def test_too_long_is_said_and_nothing_is_asked(student: Any) -> None:
    """The context is 512 tokens; a prompt needs room for its reply as well."""
    long, megabyte = request("word " * 600), request("x" * 1_000_000)
    fits = request("short")
    found = answers(student, [long, fits, megabyte], 4)
    assert [c.too_long for c in found] == [True, False, True]
    assert (found[0].finish, found[0].text, found[0].completion_tokens) == (Finish.FAILED, "", 0)
    room = request("short", tokens=511)
    assert answers(student, [room], 4)[0].too_long


def test_a_reply_that_is_cut_says_so(student: Any) -> None:
    (found,) = answers(student, [request("short", tokens=1)], 4)
    assert (found.completion_tokens, found.finish) in {(1, Finish.LENGTH), (0, Finish.STOP)}


def test_tokens_are_counted(student: Any) -> None:
    for found in answers(student, [request("one"), request("one two three")], 4):
        assert found.prompt_tokens > 0
        assert found.completion_tokens <= 12


def test_requests_with_other_settings_keep_their_own(student: Any) -> None:
    """Two replies in one call: one may have 2 tokens, the other 12."""
    found = answers(student, [request("one", tokens=2), request("one", tokens=12)], 4)
    assert found[0].completion_tokens <= 2
    assert found[1] == answers(student, [request("one", tokens=12)], 4)[0]


def test_no_requests(student: Any) -> None:
    assert answers(student, [], 4) == []


def test_a_folder_that_is_no_model_says_so(tmp_path: Any) -> None:
    with pytest.raises(ModelError, match="expected a Hugging Face model folder"):
        LocalModel("m", str(tmp_path))
