"""Our client against llama.cpp's server: what it reads is what the model says.

The models behind it are our students, so the same weights can be asked through transformers.
"""

import asyncio
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openai
import pytest
from llama_server import CONTEXT, LlamaServer
from server_recipes import cast as cast_of
from server_recipes import shipped
from students import Lessons

from judgesmith.backends.encode import encode_prompt, encode_reply
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.models.http.client import HttpModel
from judgesmith.models.http.faults import Fault
from judgesmith.models.http.sender import Sender
from judgesmith.models.protocol import Completion, Form, Request, Sampling, Wanted
from judgesmith.records import Finish, SftRow
from judgesmith.runs.endpoint import Endpoint

OPTIONS, LETTERS = ("A", "B", "TIE"), ("A", "B", "C")
VERDICT = Wanted(after="<verdict>", options=OPTIONS)
SAME_TEXT = 0.9
"""Share of greedy replies that must be the same: where two tokens are as likely, rounding decides.
At the first look it was all of them."""
APART = 0.002
"""How far the probability of a verdict may lie from the student's own."""
BARE = 'root ::= "<verdict>" ("A" | "B" | "TIE") "</verdict>"'
"""A verdict without reasons. The student has never seen such a reply and is unsure in it."""
SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"enum": ["A", "B"]}},
    "required": ["verdict"],
    "additionalProperties": False,
}
Open = Callable[..., HttpModel]


def requests(rows: Sequence[SftRow], most: int = 120, **fields: Any) -> list[Request]:
    sampling = Sampling(max_tokens=most, **fields.pop("sampling", {}))
    return [
        Request(record_id=row.id, messages=row.prompt, sampling=sampling, **fields) for row in rows
    ]


def judged(lessons: Lessons, count: int) -> list[SftRow]:
    """Rows from all over the lessons, both orders among them."""
    rows = lessons.judging()
    return rows[:: len(rows) // count | 1][:count]


@pytest.mark.parametrize("name", ["teacher", "second"])
def test_replies_and_probabilities_are_the_students_own(
    name: str, opened: Open, students: Mapping[str, Path], lessons: Lessons, measured: Any
) -> None:
    """Text, end, token counts and the chance of each verdict, beside the local backend's."""
    rows = judged(lessons, 40)
    asked = requests(rows, wanted=VERDICT)
    over_http = list(opened(name).complete(asked))
    local = LocalModel(name, str(students[name]))
    here = list(local.complete(asked))
    same = [(a, b) for a, b in zip(over_http, here, strict=True) if a.text == b.text]
    assert len(same) >= SAME_TEXT * len(asked)
    assert {reply.finish for reply in over_http} == {Finish.STOP}
    _, tokenizer = local_parts(local)
    for row, reply in zip(rows, over_http, strict=True):
        assert reply.prompt_tokens == len(encode_prompt(tokenizer, row.prompt))
        assert reply.completion_tokens == len(encode_reply(tokenizer, reply.text)) - 1
        assert reply.probabilities is not None
        assert reply.covered is not None
        assert reply.covered > 0.99
        assert math.isclose(sum(reply.probabilities.values()), 1)
    worst = max(apart(a, b) for a, b in same)
    assert worst < APART
    measured(
        f"{name}: greedy replies over HTTP and through transformers",
        f"{len(same)} of {len(asked)} the same; verdict probabilities at most {worst:.1g} apart",
    )


def test_probabilities_where_a_student_is_unsure(
    opened: Open, students: Mapping[str, Path], lessons: Lessons, measured: Any
) -> None:
    """A judge that has given its reasons is sure; a generator is not, before its first letter.

    The letter's token begins with a space that belongs to what stands before the letter.
    """
    cast = cast_of(shipped())
    worst, unsure, found = 0.0, 0, 0
    for voice, name in enumerate(cast.generators):
        entry = shipped()["responses"]["generators"][voice]
        rows = lessons.answering(entry, voice)[:: len(LETTERS)][:30]
        model, tokenizer = local_parts(LocalModel(name, str(students[name])))
        for before in ("it is", "so"):
            wanted = Wanted(after=f"{before} ", options=LETTERS)
            replies = opened(name).complete(requests(rows, wanted=wanted))
            for row, reply in zip(rows, replies, strict=True):
                if reply.text.rpartition(wanted.after)[2][1:2] != ".":
                    continue
                assert reply.probabilities is not None
                begun = reply.text[: reply.text.rindex(wanted.after)] + before
                own = chances(model, tokenizer, row, begun, [f" {letter}" for letter in LETTERS])
                apart = [abs(reply.probabilities[o.strip()] - p) for o, p in own.items()]
                worst, found = max(worst, *apart), found + 1
                unsure += max(own.values()) < 0.9
                assert reply.covered is not None
                assert reply.covered > 0.9
    measured(
        "generators: the letter of an answer",
        f"{unsure} of {found} below .9; probabilities at most {worst:.1g} apart",
    )
    assert unsure >= 20
    assert worst < APART


def test_a_grammar_holds(opened: Open, lessons: Lessons) -> None:
    """The verdict alone. Its chances are those of the free model, which says no such thing."""
    asked = requests(judged(lessons, 10), wanted=VERDICT, form=Form(grammar=BARE), most=20)
    for reply in opened("third").complete(asked):
        assert reply.text in {f"<verdict>{option}</verdict>" for option in OPTIONS}
        assert reply.covered is None or reply.covered < 0.5


def test_a_cut_reply_and_a_drawn_one(opened: Open, lessons: Lessons) -> None:
    """A limit of tokens is seen; a seed gives the same reply again, another one another."""
    rows = judged(lessons, 6)
    cut = list(opened("teacher").complete(requests(rows, most=5)))
    assert {(reply.finish, reply.completion_tokens) for reply in cut} == {(Finish.LENGTH, 5)}

    def drawn(seed: int) -> list[str]:
        asked = requests(rows, sampling={"temperature": 1.5, "seed": seed})
        return [reply.text for reply in opened("third").complete(asked)]

    assert drawn(1) == drawn(1) != drawn(2)


def test_a_schema_holds_where_the_server_takes_it(opened: Open, lessons: Lessons) -> None:
    """With `response_format: json_object` as an option; without it the error names the field."""
    asked = requests(judged(lessons, 3), form=Form(json_schema=SCHEMA), most=60)
    older = opened("teacher", options={"response_format": "json_object", "repeat_penalty": 1.0})
    for reply in older.complete(asked):
        assert set(json.loads(reply.text)) == {"verdict"}
        assert json.loads(reply.text)["verdict"] in ("A", "B")
    asyncio.run(refuse_newer(opened("teacher").endpoint, asked[0]))


async def refuse_newer(endpoint: Endpoint, request: Request) -> None:
    """One attempt in the newer type, which this server answers with status 500."""
    sender = Sender(endpoint, None)
    async with sender.opened():
        fault = await sender.send(sender.body(request), request)
    assert isinstance(fault, Fault)
    assert "1 validation error" in fault.what
    assert "response_format" in fault.what


def test_the_official_client_gets_the_same(
    opened: Open, server: LlamaServer, lessons: Lessons
) -> None:
    rows = judged(lessons, 5)
    ours = [reply.text for reply in opened("second").complete(requests(rows))]
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        theirs = [
            client.chat.completions.create(
                model="second", temperature=0, max_tokens=120,
                messages=[{"role": turn.role, "content": turn.content} for turn in row.prompt],
                extra_body={"repeat_penalty": 1.0},
            ).choices[0].message.content
            for row in rows
        ]  # fmt: skip
    assert ours == theirs


def test_a_prompt_that_does_not_fit(opened: Open, lessons: Lessons) -> None:
    """The server says so; the others of the same lot are answered."""
    row = judged(lessons, 1)[0]
    system, user = row.prompt
    long = user.model_copy(update={"content": user.content + " once more" * CONTEXT})
    asked = requests([row, row.model_copy(update={"prompt": (system, long)})])
    fits, too_long = opened("teacher").complete(asked)
    assert fits.finish is Finish.STOP
    assert (too_long.finish, too_long.too_long) == (Finish.FAILED, True)
    assert "maximum context length is 1024 tokens" in (too_long.failure or "")


def test_an_unknown_model(opened: Open, server: LlamaServer, lessons: Lessons) -> None:
    """This server answers as its first model, under the name that was asked for.

    No client can see that in the reply. It is seen in the list of models alone.
    """
    (reply,) = opened("no-such-model").complete(requests(judged(lessons, 1)))
    (first,) = opened("teacher").complete(requests(judged(lessons, 1)))
    assert reply.text == first.text
    with openai.OpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        assert "no-such-model" not in {model.id for model in client.models.list()}


def test_how_fast_it_is(opened: Open, lessons: Lessons, measured: Any) -> None:
    """Not a benchmark of ours: this server answers one call after the other."""
    for called, asked in (
        ("one-token replies", requests(judged(lessons, 150), most=1)),
        ("judgments with log-probabilities", requests(judged(lessons, 60), wanted=VERDICT)),
    ):
        model = opened("teacher")
        begun = time.perf_counter()
        assert len(list(model.complete(asked))) == len(asked)
        rate = len(asked) / (time.perf_counter() - begun)
        measured(f"{called}, 2 in flight", f"{rate:.0f} requests per second")


def apart(one: Completion, other: Completion) -> float:
    """The greatest difference between two completions' probabilities of the options."""
    if one.probabilities is None or other.probabilities is None:
        return 1.0
    return max(abs(one.probabilities[o] - other.probabilities[o]) for o in OPTIONS)


def local_parts(model: LocalModel) -> tuple[Any, Any]:
    """The model and its tokenizer."""
    return model._model, model._tokenizer


def chances(
    model: Any, tokenizer: Any, row: SftRow, begun: str, options: Sequence[str]
) -> dict[str, float]:
    """The chance of each option as the next token of a reply that begins so, among the options."""
    torch = load("torch")
    ids = encode_prompt(tokenizer, row.prompt)
    ids += tokenizer(begun, add_special_tokens=False)["input_ids"]
    firsts = [tokenizer(option, add_special_tokens=False)["input_ids"][0] for option in options]
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0, -1, firsts].float()
    return dict(zip(options, torch.softmax(logits, -1).tolist(), strict=True))
