"""Verdict probabilities after an opening that ends in a blank, joined to the letter or not."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.replies import Written
from judgesmith.backends.soft_labels import soft_label
from judgesmith.backends.student import FromNothing, build_student, load_student
from judgesmith.judging.library import LIBRARY
from judgesmith.models.protocol import Request, Sampling, Wanted
from judgesmith.records import Message, SftRow, Split

REPLIES = {
    "Which is first?": "Feedback: the first holds. [RESULT] A",
    "Which is last?": "Feedback: the last holds. [RESULT] B",
}
WANTED = Wanted(after=LIBRARY["prometheus-relative"].verdict_opening, options=("A", "B"))
Student = tuple[Any, Any]


def ask(text: str, wanted: Wanted = WANTED) -> Request:
    return Request(
        record_id=text, messages=(Message(role="user", content=text),),
        sampling=Sampling(temperature=0.0, max_tokens=40), wanted=wanted,
    )  # fmt: skip


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Student]:
    """A student that gives both replies; its tokenizer joins a blank with a letter, or does not."""

    @cache
    def made(joins: bool) -> Student:
        folder = tmp_path_factory.mktemp("joins" if joins else "parts")
        texts = [text for pair in REPLIES.items() for text in pair] * 8
        if not joins:  # no letter ever stands after a blank, so no merge of both is learned
            texts = [text.replace(" A", "A").replace(" B", "B") for text in texts]
        size = FromNothing(width=32, layers=1, heads=2, vocabulary=340, context=128)
        build_student(size, texts, folder, seed=3)
        model, tokenizer = load_student(str(folder))
        learn(model, tokenizer)
        return model, tokenizer

    return made


def learn(model: Any, tokenizer: Any) -> None:
    """Forty steps on the two replies: enough to say them, not enough to be sure of the letter."""
    torch = load("torch")
    model.train()
    step = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(40):
        step.zero_grad()
        for text, reply in REPLIES.items():
            prompt = encode_prompt(tokenizer, ask(text).messages)
            ids = torch.tensor([[*prompt, *encode_reply(tokenizer, reply)]])
            labels = ids.clone()
            labels[:, : len(prompt)] = -100
            model(input_ids=ids, labels=labels).loss.backward()
        step.step()
    model.eval()


def by_hand(student: Student, text: str, reply: str) -> dict[str, float]:
    """Softmax over the two tokens in which the replies for A and for B differ, teacher-forced."""
    torch = load("torch")
    model, tokenizer = student
    prompt = encode_prompt(tokenizer, ask(text).messages)
    ids = {letter: tokenizer(reply[:-1] + letter)["input_ids"] for letter in "AB"}
    place = next(i for i, pair in enumerate(zip(*ids.values(), strict=True)) if len(set(pair)) > 1)
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + ids["A"]])).logits[0, len(prompt) + place - 1]
    chances = torch.softmax(logits[[ids["A"][place], ids["B"][place]]], -1).tolist()
    return dict(zip("AB", chances, strict=True))


@pytest.mark.parametrize("joins", [True, False])
def test_probabilities_are_those_of_the_reply_as_it_was_learned(
    taught: Callable[[bool], Student], joins: bool
) -> None:
    student = taught(joins)
    last = student[1].tokenize("[RESULT] A")[-1]
    assert last == ("\u0120A" if joins else "A")
    found = list(LocalModel("m", loaded=student).complete([ask(text) for text in REPLIES]))
    for (text, reply), one in zip(REPLIES.items(), found, strict=True):
        assert one.text == reply
        assert one.probabilities == pytest.approx(by_hand(student, text, reply), abs=1e-5)
        assert max(one.probabilities or {}, key=(one.probabilities or {}).__getitem__) == reply[-1]


def test_the_last_opening_counts_with_its_blank(taught: Callable[[bool], Student]) -> None:
    """A bare "[RESULT]" later in the reply is no opening: the verdict stands after the blank."""
    student = taught(True)
    model = LocalModel("m", loaded=student)
    prompt = encode_prompt(student[1], ask("Which is first?").messages)
    reply = REPLIES["Which is first?"]
    texts = [reply, reply + " [RESULT]"]
    tokens = [list(student[1](text)["input_ids"]) for text in texts]
    done = Written([0, 0], tokens, [True, True], None)
    plain, more = model._chances(WANTED, [prompt], done, texts)
    assert plain is not None
    assert more == plain


def test_options_that_begin_alike_are_told_apart_and_equal_ones_are_not(
    taught: Callable[[bool], Student],
) -> None:
    model = LocalModel("m", loaded=taught(True))
    (found,) = model.complete(
        [ask("Which is first?", WANTED.model_copy(update={"options": ("AA", "AB")}))]
    )
    assert found.probabilities is not None
    assert set(found.probabilities) == {"AA", "AB"}
    equal = WANTED.model_copy(update={"options": ("A", "A")})
    (found,) = model.complete([ask("Which is first?", equal)])
    assert (found.probabilities, found.covered) == (None, None)


@pytest.mark.parametrize("joins", [True, False])
def test_a_soft_label_stands_at_the_same_token(
    taught: Callable[[bool], Student], joins: bool
) -> None:
    _, tokenizer = taught(joins)
    row = SftRow.make(
        source="t", licence="n", item_id="i", order=(0, 1), split=Split.TRAIN, dialect="d",
        prompt=(Message(role="user", content="Which is first?"),),
        completion=REPLIES["Which is first?"],
    )  # fmt: skip
    found = soft_label(tokenizer, row, opening=WANTED.after, chances={"A": 0.7, "B": 0.3})
    assert found is not None
    reply = encode_reply(tokenizer, row.completion)
    assert found.position == len(reply) - 2  # the last before the end of the turn
    assert reply[found.position] == found.options[0]
    assert [tokenizer.decode(token).strip() for token in found.options] == ["A", "B"]
