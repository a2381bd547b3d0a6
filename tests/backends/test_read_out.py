"""Verdicts read out in lines of prompts are those of one full pass for each option by itself."""

import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from judgesmith.backends import packed, read_out, replies
from judgesmith.backends.architectures import Architecture
from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.lines import Prompt, batches, beginning, follow, grouped, laid_out
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.student import FromNothing, build_student, load_student
from judgesmith.errors import ModelError
from judgesmith.models.protocol import Completion, Request, Sampling, Wanted
from judgesmith.records import Finish, Message

WORDS = [*"abcdefghi", "old", "man", "was", "late", "at", "bank", "who", "1", "10", "4.5"]
OPENING = "<reasoning></reasoning><verdict>"
OPTIONS = ("1", "10", "4", "4.5", "TIE")
NEAR = 1e-5
TOLERANCE = 1e-5
"""How far a batch may move a chance: float32 sums in another order."""
Student = tuple[Any, Any]
CLASSES: tuple[Architecture, ...] = ("llama", "mistral", "qwen3", "gemma3", "gemma4")
WINDOW = 24


def text(draw: random.Random, least: int, most: int) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randint(least, most)))


@pytest.fixture(scope="module")
def student_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Architecture], Student]:
    """A random model of each class; those with sliding layers see no further than 24 tokens."""

    @cache
    def made(architecture: Architecture) -> Student:
        folder = tmp_path_factory.mktemp(architecture)
        size = FromNothing(
            width=32, layers=6, heads=2, vocabulary=340, context=1024, architecture=architecture
        )
        draw = random.Random(1)
        texts = [text(draw, 30, 30) for _ in range(40)] + [
            f"{OPENING}{o}</verdict>" for o in OPTIONS
        ]
        build_student(size, texts, folder, seed=3)
        config = json.loads((folder / "config.json").read_bytes())
        if config.get("sliding_window"):
            config["sliding_window"] = WINDOW
            (folder / "config.json").write_text(json.dumps(config))
        return load_student(str(folder))

    return made


def asked(
    seed: int, questions: int, *, closing: str = "</verdict>", forced: str | None = OPENING,
    longest: int = 40, tokens: int = 20,
) -> list[Request]:  # fmt: skip
    """Prompts with one system text; several for each question, in both orders."""
    draw = random.Random(seed)
    system = text(draw, 20, 20)
    wanted = Wanted(after="<verdict>", options=OPTIONS, closing=closing)
    found = []
    for n in range(questions):
        question = text(draw, 1, 30)
        two = [text(draw, 1, longest) for _ in range(2)]
        for order in (two, two[::-1]):
            said = (system, f"{question}\nA: {order[0]}\nB: {order[1]}")
            found.append(
                Request(
                    record_id=f"q{n}", sampling=Sampling(max_tokens=tokens), wanted=wanted,
                    messages=(Message(role="user", content="\n".join(said)),), forced=forced,
                )
            )  # fmt: skip
    return found


def slowly(student: Student, request: Request) -> tuple[dict[str, float], float]:
    """The chance of each whole reply, by one forward pass over each, and what all have together."""
    torch = load("torch")
    model, tokenizer = student
    wanted, logs = request.wanted, []
    assert wanted is not None
    prompt = encode_prompt(tokenizer, request.messages)
    for option in wanted.options:
        reply = encode_reply(tokenizer, f"{request.forced}{option}{wanted.closing}")
        if wanted.closing:
            reply = reply[:-1]  # the end of the reply counts where nothing else ends the verdict
        with torch.inference_mode():
            logits = model(torch.tensor([prompt + reply])).logits[0].double()
        steps = torch.log_softmax(logits, -1)[len(prompt) - 1 : -1]
        logs.append(steps[range(len(reply)), reply])
    # What all options begin with is given, and not scored.
    ids = [encode_reply(tokenizer, f"{request.forced}{o}{wanted.closing}") for o in wanted.options]
    alike = next(i for i, column in enumerate(zip(*ids, strict=False)) if len(set(column)) > 1)
    sums = torch.stack([steps[alike:].sum() for steps in logs])
    among = torch.softmax(sums, 0).tolist()
    return dict(zip(wanted.options, among, strict=True)), float(sums.exp().sum())


@pytest.mark.parametrize("closing", ["</verdict>", ""])
@pytest.mark.parametrize("architecture", CLASSES)
def test_chances_are_those_of_a_full_pass_for_each_option(
    student_of: Callable[[Architecture], Student], architecture: Architecture, closing: str
) -> None:
    student = student_of(architecture)
    assert packed.can_pack(student[0])
    requests = asked(7, 4, closing=closing)
    for request, found in zip(requests, complete(student, requests), strict=True):
        chances, covered = slowly(student, request)
        assert found.probabilities == pytest.approx(chances, abs=NEAR)
        assert found.covered == pytest.approx(covered, rel=1e-4)
        best = max(chances, key=chances.__getitem__)
        assert found.text == f"{OPENING}{best}{closing}"
        assert (found.finish, found.completion_tokens) == (Finish.STOP, 0)


def complete(
    student: Student, requests: Sequence[Request], batch: int | None = None
) -> list[Completion]:
    return list(LocalModel("m", loaded=student, batch=batch).complete(requests))


def test_a_class_that_is_not_known_is_read_one_by_one(
    student_of: Callable[[Architecture], Student], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same numbers and replies without masks of our own, by another way through the code."""
    student = student_of("qwen3")
    for forced in (OPENING, None):
        requests = asked(8, 2, forced=forced)
        before = complete(student, requests)
        with monkeypatch.context() as patched:
            for module in (read_out, replies):
                patched.setattr(module, "can_pack", lambda model: False)
            after = complete(student, requests)
        assert_alike(before, after)


def assert_alike(some: Sequence[Completion], others: Sequence[Completion]) -> None:
    for one, other in zip(some, others, strict=True):
        assert (one.text, one.finish, one.too_long) == (other.text, other.finish, other.too_long)
        assert one.probabilities == (
            other.probabilities and pytest.approx(other.probabilities, abs=TOLERANCE)
        )


@pytest.mark.parametrize("architecture", ["llama", "gemma3"])
def test_what_lies_beside_a_prompt_moves_no_verdict(
    student_of: Callable[[Architecture], Student], architecture: Architecture
) -> None:
    """Shuffled, in batches of any size, with texts of hundreds of tokens and none beside them."""
    student, draw = student_of(architecture), random.Random(9)
    requests = asked(10, 6)
    hostile = asked(11, 2, longest=300) + [
        one.model_copy(update={"messages": (Message(role="user", content=said),)})
        for one, said in zip(requests, ("", "x" * 300, f"{OPENING}10</verdict>" * 20), strict=False)
    ]
    alone = [complete(student, [one])[0] for one in requests]
    for batch in (None, 1, 3, 7):
        everything = [*requests, *hostile]
        order = list(range(len(everything)))
        draw.shuffle(order)
        found = dict(
            zip(order, complete(student, [everything[i] for i in order], batch), strict=True)
        )
        assert_alike([found[i] for i in range(len(requests))], alone)


@pytest.mark.parametrize("architecture", CLASSES)
def test_replies_and_their_chances_are_those_of_a_plain_generate(
    student_of: Callable[[Architecture], Student], architecture: Architecture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Stretches of 6 tokens: rows leave, and the rest goes on from the cache. The chances at the
    end of each reply are those that a full pass over prompt and reply gives.
    """
    torch = load("torch")
    monkeypatch.setattr(replies, "STRETCH", 6)
    model, tokenizer = student_of(architecture)
    requests = [
        one.model_copy(update={"wanted": Wanted(after="", options=OPTIONS, closing="</verdict>")})
        for one in asked(12, 3, forced=None)
    ]
    for request, found in zip(requests, complete((model, tokenizer), requests), strict=True):
        prompt = torch.tensor([encode_prompt(tokenizer, request.messages)])
        with torch.inference_mode():
            plain = model.generate(
                prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False
            )[0, prompt.shape[1] :]
        assert found.text == tokenizer.decode(plain, skip_special_tokens=True)
        chances, _ = slowly((model, tokenizer), request.model_copy(update={"forced": found.text}))
        assert found.probabilities == pytest.approx(chances, abs=NEAR)


def test_verdicts_of_the_same_tokens_are_refused(
    student_of: Callable[[Architecture], Student],
) -> None:
    wanted = Wanted(after="", options=("1", "1"))
    (request,) = asked(13, 1)[:1]
    with pytest.raises(ModelError, match="tells apart"):
        complete(student_of("llama"), [request.model_copy(update={"wanted": wanted})])


def test_a_prompt_without_room_for_the_verdict_is_too_long(
    student_of: Callable[[Architecture], Student],
) -> None:
    """1024 tokens of context; in fast mode a reply takes as many as its longest verdict."""
    student = student_of("llama")
    requests = asked(14, 2)
    long = requests[0].model_copy(update={"messages": (Message(role="user", content="x " * 2000),)})
    roomy = [r.model_copy(update={"sampling": Sampling(max_tokens=1024)}) for r in requests]
    found = complete(student, [*roomy, long])
    assert [one.too_long for one in found] == [False] * 4 + [True]
    assert_alike(found[:4], complete(student, requests))


def test_prompts_that_begin_alike_share_a_line_and_every_prompt_has_one() -> None:
    """Two questions in two orders behind one system text; a last one of its own."""
    draw = random.Random(15)
    system, questions = [1] * 30, [[2] * 50, [3] * 50]
    rest = [[draw.randrange(4, 99) for _ in range(20)] for _ in range(4)]
    tree = follow([[5, 6], [5, 7]])
    prompts = [Prompt([*system, *questions[i // 2], *rest[i]], tree) for i in range(4)]
    prompts.append(Prompt([*system, 9], tree))
    skip = beginning([one.tokens for one in prompts])
    assert skip == 30
    groups = grouped(prompts, skip, width=128)
    assert sorted(group.members for group in groups) == [(0, 1), (2, 3), (4,)]
    line = laid_out(next(g for g in groups if g.members == (0, 1)), prompts, skip)
    assert len(line.tokens) == 50 + 2 * (20 + 1)
    for own, member in enumerate((0, 1)):
        assert [line.tokens[i] for i in line.bodies[own]] == prompts[member].tokens[skip:]
        assert [line.positions[i] for i in line.places[own]] == [99, 100]
        assert [line.tokens[i] for i in line.places[own]] == [prompts[member].tokens[-1], 5]
    for tokens, most in ((10_000, 2), (100, 9), (1, 9)):
        made = list(batches(groups, skip, tokens=tokens, pairs=10**9, most=most))
        assert sorted(m for batch in made for g in batch for m in g.members) == [0, 1, 2, 3, 4]


def test_nothing_shared_is_nothing_saved_and_nothing_wrong() -> None:
    prompts = [Prompt([n] * 40) for n in range(3)]
    assert beginning([one.tokens for one in prompts]) == 0
    assert [group.members for group in grouped(prompts, 0, 128)] == [(0,), (1,), (2,)]
    assert beginning([[1] * 40]) == beginning([]) == 0
