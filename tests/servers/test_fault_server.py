"""The official clients talk to the fault server, which shows that it speaks both protocols."""

import json
import math
from typing import Any

import anthropic
import openai
import pytest
from clients import ASK, chat, lines_of, message, requests, rows, start_batch
from running import Server

pytestmark = pytest.mark.wide


class TestOpenAI:
    def test_chat(self, ours: openai.OpenAI, server: Server) -> None:
        """7 bytes are 2 tokens, rounded up; the reply has 53 or 55 bytes, so 14 tokens."""
        reply = chat(ours)
        again = chat(ours)
        text = reply.choices[0].message.content
        assert text == again.choices[0].message.content
        assert text.endswith("</verdict>")
        assert reply.choices[0].finish_reason == "stop"
        assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (2, 14)
        assert chat(ours, seed=1).choices[0].message.content != text
        counts = server.counts()
        assert counts["calls"] == {"chat": 3}
        assert counts["statuses"] == {"200": 3}
        assert list(server.repeated().values()) == [2]

    def test_log_probabilities(self, ours: openai.OpenAI) -> None:
        """The verdict has 0.72, each of its two rivals half of 0.24."""
        choice = chat(ours, logprobs=True, top_logprobs=4).choices[0]
        tokens = choice.logprobs.content
        assert "".join(one.token for one in tokens) == choice.message.content
        verdict = next(one for one in reversed(tokens) if one.token in ("A", "B", "TIE"))
        chances = {one.token: math.exp(one.logprob) for one in verdict.top_logprobs}
        assert chances.pop(verdict.token) == pytest.approx(0.72)
        assert chances.pop("\n") == pytest.approx(0.02)
        assert list(chances.values()) == pytest.approx([0.12, 0.12])

    def test_dictated_reply(self, ours: openai.OpenAI) -> None:
        asked = {"text": "<verdict>B</verdict>", "chances": {"B": 0.6, "A": 0.3}}
        reply = chat(ours, f"REPLY: {json.dumps(asked)} end", logprobs=True, top_logprobs=2)
        assert reply.choices[0].message.content == "<verdict>B</verdict>"
        verdict = reply.choices[0].logprobs.content[3].top_logprobs
        assert [(one.token, round(math.exp(one.logprob), 6)) for one in verdict] == [
            ("B", 0.6),
            ("A", 0.3),
        ]
        assert chat(ours, 'REPLY: {"verdict": "A"} end').choices[0].message.content == (
            '{"verdict": "A"}'
        )

    def test_schema_is_obeyed(self, ours: openai.OpenAI) -> None:
        schema = {
            "type": "object",
            "properties": {
                "rationale": {"type": "string"},
                "verdict": {"$ref": "#/$defs/v"},
                "score": {"type": "integer", "minimum": 3, "maximum": 4},
            },
            "$defs": {"v": {"enum": ["A", "B"]}},
        }
        form: Any = {"type": "json_schema", "json_schema": {"name": "r", "schema": schema}}
        reply = json.loads(chat(ours, response_format=form).choices[0].message.content)
        assert reply["verdict"] in ("A", "B")
        assert reply["score"] in (3, 4)
        assert reply["rationale"].startswith("Reply ")

    def test_cut_at_max_tokens(self, ours: openai.OpenAI) -> None:
        reply = chat(ours, max_tokens=3)
        assert reply.choices[0].message.content == "<rationale>R"
        assert reply.choices[0].finish_reason == "length"
        assert reply.usage.completion_tokens == 3

    def test_cached_tokens(self, ours: openai.OpenAI) -> None:
        """A first message of 80 bytes is 20 tokens; the second call with it reads them."""
        ask: Any = [{"role": "system", "content": "x" * 80}, {"role": "user", "content": "a"}]
        usages = [ours.chat.completions.create(model="m", messages=ask).usage for _ in range(2)]
        cached = [use.prompt_tokens_details.cached_tokens for use in usages if use]  # type: ignore[union-attr]
        assert cached == [0, 20]
        assert usages[0] is not None
        assert usages[0].prompt_tokens == 21

    def test_models(self, ours: openai.OpenAI) -> None:
        assert [model.id for model in ours.models.list()] == ["judge-large", "judge-small"]
        assert ours.models.retrieve("judge-small").id == "judge-small"

    def test_batch(self, ours: openai.OpenAI, server: Server) -> None:
        server.plan({"fault": "batch_polls", "polls": 2})
        batch = start_batch(ours, rows(5), run="r1", part="0")
        assert batch.status == "validating"
        assert ours.batches.retrieve(batch.id).status == "in_progress"
        done = ours.batches.retrieve(batch.id)
        assert (done.status, done.metadata) == ("completed", {"run": "r1", "part": "0"})
        assert done.request_counts is not None
        assert (done.request_counts.total, done.request_counts.completed) == (5, 5)
        lines = lines_of(ours, done.output_file_id)
        assert [line["custom_id"] for line in lines] == [f"item-{n}" for n in range(5)]
        single = chat(ours, "question 3", max_tokens=50).choices[0].message.content
        assert lines[3]["response"]["body"]["choices"][0]["message"]["content"] == single
        counts = server.counts()["batches"]
        assert (counts["created"], counts["billed"]["calls"]) == (1, 5)
        assert counts["by_custom_id"] == {f"item-{n}": 1 for n in range(5)}
        assert len(server.repeated()) == 1
        assert ours.files.delete(str(done.output_file_id)).deleted

    def test_batch_list_has_pages(self, ours: openai.OpenAI) -> None:
        made = [start_batch(ours, rows(1), part=str(n)).id for n in range(5)]
        first = ours.batches.list(limit=2)
        assert [batch.id for batch in first.data] == made[:2:-1]
        assert first.has_more
        assert [batch.metadata for batch in ours.batches.list(limit=2)] == [
            {"part": str(n)} for n in (4, 3, 2, 1, 0)
        ]

    def test_cancelled_batch(self, ours: openai.OpenAI, server: Server) -> None:
        """Half of five lines, rounded down, had run and stay billed."""
        batch = start_batch(ours, rows(5))
        assert ours.batches.cancel(batch.id).status == "cancelling"
        done = ours.batches.retrieve(batch.id)
        assert done.status == "cancelled"
        assert len(lines_of(ours, done.output_file_id)) == 2
        assert server.counts()["batches"]["billed"]["calls"] == 2


class TestAnthropic:
    def test_message(self, theirs: anthropic.Anthropic, ours: openai.OpenAI) -> None:
        reply = message(theirs)
        assert reply.content[0].text == chat(ours).choices[0].message.content
        assert reply.stop_reason == "end_turn"
        assert (reply.usage.input_tokens, reply.usage.output_tokens) == (2, 14)
        assert message(theirs, max_tokens=3).stop_reason == "max_tokens"

    def test_cache_is_written_then_read(self, theirs: anthropic.Anthropic) -> None:
        """80 bytes are 20 tokens before the mark; 10 more bytes are 3, and the question 2."""
        mark = {"type": "ephemeral"}
        system: Any = [
            {"type": "text", "text": "x" * 80, "cache_control": mark},
            {"type": "text", "text": "y" * 10},
        ]
        first, second = (message(theirs, system=system).usage for _ in range(2))
        assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (20, 0)
        assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, 20)
        assert first.input_tokens == second.input_tokens == 5

    def test_models(self, theirs: anthropic.Anthropic) -> None:
        assert [model.id for model in theirs.models.list()] == ["judge-large", "judge-small"]

    def test_foreign_fields_are_refused(self, theirs: anthropic.Anthropic) -> None:
        with pytest.raises(anthropic.BadRequestError, match="seed: Extra inputs"):
            message(theirs, extra_body={"seed": 1})
        with pytest.raises(anthropic.BadRequestError, match="Unexpected role"):
            message(theirs, messages=ASK)

    def test_batch(self, theirs: anthropic.Anthropic, server: Server) -> None:
        server.plan({"fault": "batch_polls", "polls": 2, "on": "message_batches_create"})
        batch = theirs.messages.batches.create(requests=requests(4))
        assert batch.processing_status == "in_progress"
        assert theirs.messages.batches.retrieve(batch.id).request_counts.processing == 4
        done = theirs.messages.batches.retrieve(batch.id)
        assert (done.processing_status, done.request_counts.succeeded) == ("ended", 4)
        results = list(theirs.messages.batches.results(batch.id))
        assert [one.custom_id for one in results] == [f"item-{n}" for n in range(4)]
        assert {one.result.type for one in results} == {"succeeded"}
        assert server.counts()["batches"]["billed"]["calls"] == 4

    def test_batch_list_has_pages(self, theirs: anthropic.Anthropic) -> None:
        made = [theirs.messages.batches.create(requests=requests(1)).id for _ in range(5)]
        first = theirs.messages.batches.list(limit=2)
        assert (first.has_more, first.last_id) == (True, made[3])
        assert [batch.id for batch in theirs.messages.batches.list(limit=2)] == made[::-1]

    def test_cancelled_batch(self, theirs: anthropic.Anthropic) -> None:
        batch = theirs.messages.batches.create(requests=requests(2))
        assert theirs.messages.batches.cancel(batch.id).processing_status == "canceling"
        counts = theirs.messages.batches.retrieve(batch.id).request_counts
        assert (counts.succeeded, counts.canceled) == (1, 1)
