"""Each fault of the server, as the official clients meet it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import anthropic
import openai
import pytest
from clients import ASK, chat, fails, lines_of, message, requests, rows, start_batch
from running import Server

pytestmark = pytest.mark.wide
Start = Callable[..., Server]


STATUSES = [
    ("rate_limit", "RateLimitError", 429),
    ("rate_limit_after", "RateLimitError", 429),
    ("error_500", "InternalServerError", 500),
    ("overloaded_503", "InternalServerError", 503),
    ("overloaded_529", "InternalServerError", 529),
    ("bad_schema", "BadRequestError", 400),
    ("no_quota", "RateLimitError", 429),
    ("no_credit_402", "APIStatusError", 402),
    ("leak_key", "AuthenticationError", 401),
]


class TestErrors:
    @pytest.mark.parametrize(("fault", "name", "status"), STATUSES)
    def test_statuses(
        self,
        server: Server,
        ours: openai.OpenAI,
        theirs: anthropic.Anthropic,
        fault: str,
        name: str,
        status: int,
    ) -> None:
        """Both clients raise their class for it, and nothing is billed."""
        server.plan({"fault": fault, "retry_after": 2})
        with pytest.raises(getattr(openai, name)) as of_openai:
            chat(ours)
        with pytest.raises(getattr(anthropic, name)) as of_anthropic:
            message(theirs)
        for raised in (of_openai.value, of_anthropic.value):
            assert raised.status_code == status
            after = "2" if fault == "rate_limit_after" else None
            assert raised.response.headers.get("retry-after") == after
        assert server.counts()["billed"]["calls"] == 0
        assert server.counts()["statuses"] == {str(status): 2}

    @pytest.mark.parametrize(
        "fault", ["close_before", "close_after_accept", "close_mid_body", "not_http"]
    )
    def test_broken_connections(
        self, server: Server, ours: openai.OpenAI, theirs: anthropic.Anthropic, fault: str
    ) -> None:
        server.plan({"fault": fault})
        with pytest.raises(openai.APIConnectionError):
            chat(ours)
        with pytest.raises(anthropic.APIConnectionError):
            message(theirs)
        assert server.counts()["billed"]["calls"] == (0 if fault == "close_before" else 2)

    def test_timeout(
        self, server: Server, ours: openai.OpenAI, theirs: anthropic.Anthropic
    ) -> None:
        server.plan({"fault": "hang"})
        with pytest.raises(openai.APITimeoutError):
            chat(ours.with_options(timeout=0.2))
        with pytest.raises(anthropic.APITimeoutError):
            message(theirs.with_options(timeout=0.2))
        assert server.counts()["billed"]["calls"] == 2
        assert server.counts()["open"] == 0
        server.plan({"fault": "slow_drip", "drip_ms": 1})
        assert chat(ours).choices[0].message.content

    @pytest.mark.parametrize("fault", ["half_json", "garbage_bytes"])
    def test_unreadable(self, server: Server, ours: openai.OpenAI, fault: str) -> None:
        server.plan({"fault": fault})
        with pytest.raises((openai.APIError, ValueError)):
            chat(ours)
        server.plan()
        assert chat(ours).choices[0].message.content

    def test_odd_answers(
        self, server: Server, ours: openai.OpenAI, theirs: anthropic.Anthropic
    ) -> None:
        def both(fault: str) -> tuple[Any, Any]:
            server.plan({"fault": fault})
            return chat(ours), message(theirs)

        assert (
            "<html>"
            in ours.chat.completions.with_raw_response.create(
                **{"model": "m", "messages": ASK, **told(server, "wrong_content_type")}
            ).text
        )
        one, two = both("empty_choices")
        assert (one.choices, two.content) == ([], [])
        one, two = both("wrong_model")
        assert one.model == two.model == "another-model"
        one, two = both("no_usage")
        assert one.usage is None
        assert two.usage is None
        one, two = both("refusal")
        assert one.choices[0].message.refusal.startswith("I'm sorry")
        assert (one.choices[0].message.content, two.content) == (None, [])
        assert two.stop_reason == "refusal"
        one, two = both("truncated")
        assert (one.choices[0].finish_reason, two.stop_reason) == ("length", "max_tokens")
        assert one.choices[0].message.content == two.content[0].text
        one, two = both("null_content")
        assert (one.choices[0].message.content, two.content) == (None, [])
        one, two = both("content_filter")
        assert (one.choices[0].finish_reason, two.stop_reason) == ("content_filter", "refusal")
        assert server.counts()["billed"]["calls"] == 15

    def test_retry_after_as_a_date(self, server: Server, ours: openai.OpenAI) -> None:
        server.plan({"fault": "rate_limit_after", "date": True, "retry_after": 60})
        with pytest.raises(openai.RateLimitError) as raised:
            chat(ours)
        headers = raised.value.response.headers
        assert parsedate_to_datetime(headers["retry-after"]).tzinfo is not None

    def test_a_client_that_retries_gets_through(self, server: Server, ours: openai.OpenAI) -> None:
        server.plan({"fault": "rate_limit_after", "times": 2, "retry_after": 0.05})
        assert chat(ours.with_options(max_retries=3)).choices
        assert server.counts()["statuses"] == {"429": 2, "200": 1}

    def test_unknown_things(self, ours: openai.OpenAI, theirs: anthropic.Anthropic) -> None:
        with pytest.raises(openai.NotFoundError):
            ours.batches.retrieve("batch_none")
        with pytest.raises(anthropic.NotFoundError):
            theirs.messages.batches.retrieve("msgbatch_none")
        with pytest.raises(openai.NotFoundError, match="Unknown request URL"):
            ours.embeddings.create(model="m", input="x")


def told(server: Server, fault: str) -> dict[str, Any]:
    """Set a fault, and add nothing to the call."""
    server.plan({"fault": fault})
    return {}


def test_keys_models_and_context(fault_server: Start) -> None:
    """9 tokens of 35 bytes fit a context of 10 alone, but not with 5 more of the reply."""
    server = fault_server(keys=["good"], models=["m"], context=10)
    with (
        openai.OpenAI(base_url=server.url, api_key="bad-bad-bad-1234", max_retries=0) as ours,
        anthropic.Anthropic(base_url=server.root, api_key="bad", max_retries=0) as theirs,
    ):
        with pytest.raises(openai.AuthenticationError, match=r"bad\*+1234") as raised:
            chat(ours)
        assert raised.value.code == "invalid_api_key"
        with pytest.raises(anthropic.AuthenticationError, match="invalid x-api-key"):
            message(theirs)
        ours, theirs = ours.with_options(api_key="good"), theirs.with_options(api_key="good")
        assert chat(ours).choices
        with pytest.raises(openai.NotFoundError, match="`other` does not exist") as unknown:
            ours.chat.completions.create(model="other", messages=[{"role": "user", "content": "a"}])
        assert unknown.value.code == "model_not_found"
        with pytest.raises(anthropic.NotFoundError, match="model: other"):
            message(theirs, model="other", max_tokens=1)
        with pytest.raises(openai.BadRequestError, match="maximum context length is 10") as long:
            chat(ours, "x" * 35, max_tokens=5)
        assert long.value.code == "context_length_exceeded"
        with pytest.raises(anthropic.BadRequestError, match="exceed context limit: 9 \\+ 5 > 10"):
            message(theirs, "x" * 35, max_tokens=5)
        with pytest.raises(anthropic.BadRequestError, match="too long: 11 tokens > 10 maximum"):
            message(theirs, "x" * 41, max_tokens=5)


class TestBatchFaults:
    def finished(self, client: openai.OpenAI, count: int = 40) -> Any:
        return client.batches.retrieve(start_batch(client, rows(count)).id)

    def test_lines(self, server: Server, ours: openai.OpenAI) -> None:
        """Lines 1 and 11 are doubled, 2 is lost, 3 has an error, 4 runs out of time: 36 + 2 - 1."""
        server.plan(
            {"fault": "lines_duplicated", "match": "question 1{1,2}$"},
            {"fault": "lines_missing", "match": "question 2$"},
            {"fault": "line_errored", "match": "question 3$"},
            {"fault": "line_expired", "match": "question 4$"},
        )
        done = self.finished(ours)
        assert done.status == "expired"
        names = [line["custom_id"] for line in lines_of(ours, done.output_file_id)]
        assert len(names) == 39
        assert (names.count("item-1"), names.count("item-11"), names.count("item-2")) == (2, 2, 0)
        errors = {line["custom_id"]: line for line in lines_of(ours, done.error_file_id)}
        assert errors["item-3"]["response"]["status_code"] == 500
        assert errors["item-4"]["error"]["code"] == "batch_expired"
        billed = server.counts()["batches"]["by_custom_id"]
        assert billed == {f"item-{n}": 1 for n in range(40) if n not in (3, 4)}

    def test_anthropic_lines(self, server: Server, theirs: anthropic.Anthropic) -> None:
        on = {"on": "message_batches_create"}
        server.plan(
            {"fault": "lines_reordered", **on},
            {"fault": "line_errored", "match": "question 3$", **on},
            {"fault": "line_expired", "match": "question 4$", **on},
        )
        batch = theirs.messages.batches.create(requests=requests(20))
        theirs.messages.batches.retrieve(batch.id)
        results = {
            one.custom_id: one.result.type for one in theirs.messages.batches.results(batch.id)
        }
        assert (results["item-3"], results["item-4"]) == ("errored", "expired")
        assert list(results) != sorted(results, key=lambda name: int(name[5:]))
        assert len(results) == 20

    def test_odd_answers_in_a_batch(self, server: Server, ours: openai.OpenAI) -> None:
        server.plan({"fault": "refusal", "match": "question 7$", "on": "batches_create"})
        lines = lines_of(ours, self.finished(ours).output_file_id)
        refused = [
            line["custom_id"]
            for line in lines
            if line["response"]["body"]["choices"][0]["message"]["refusal"]
        ]
        assert refused == ["item-7"]

    def test_reordered(self, server: Server, ours: openai.OpenAI) -> None:
        server.plan({"fault": "lines_reordered"})
        names = [line["custom_id"] for line in lines_of(ours, self.finished(ours).output_file_id)]
        assert names != [f"item-{n}" for n in range(40)]
        assert sorted(names) == sorted(f"item-{n}" for n in range(40))

    def test_invalid(
        self, server: Server, ours: openai.OpenAI, theirs: anthropic.Anthropic
    ) -> None:
        doubled = start_batch(ours, rows(2) + b"\n" + rows(1))
        assert doubled.status == "failed"
        assert doubled.errors.data[0].code == "duplicate_custom_id"
        assert doubled.errors.data[0].line == 3
        broken = start_batch(ours, rows(2) + b"\n{")
        assert broken.errors.data[0].code == "invalid_json_line"
        server.plan({"fault": "batch_invalid", "on": ["batches_create", "message_batches_create"]})
        assert start_batch(ours, rows(2)).status == "failed"
        with pytest.raises(anthropic.BadRequestError, match="failed validation"):
            theirs.messages.batches.create(requests=requests(2))
        counts = server.counts()["batches"]
        assert (counts["created"], counts["failed"], counts["billed"]["calls"]) == (0, 3, 0)

    def test_lost_answer_of_an_accepted_batch(self, server: Server, ours: openai.OpenAI) -> None:
        """The list shows the batch with its metadata; a second one would be paid twice."""
        rule = {"fault": "close_after_accept", "on": "batches_create", "times": 1}
        server.plan(rule)
        with pytest.raises(openai.APIConnectionError):
            start_batch(ours, rows(3), intent="one")
        assert [batch.metadata for batch in ours.batches.list()] == [{"intent": "one"}]
        start_batch(ours, rows(3), intent="two")
        assert server.counts()["batches"]["created"] == 2
        assert set(server.counts()["batches"]["by_custom_id"].values()) == {2}
        assert len(server.repeated()) == 3

    def test_accepted_behind_a_gateway_that_gives_up(
        self, server: Server, ours: openai.OpenAI, theirs: anthropic.Anthropic
    ) -> None:
        on = ["batches_create", "message_batches_create"]
        server.plan({"fault": "gateway_503", "on": on, "times": 1})
        with pytest.raises(openai.InternalServerError, match="503"):
            start_batch(ours, rows(3))
        with pytest.raises(anthropic.InternalServerError, match="disconnect"):
            theirs.messages.batches.create(requests=requests(3))
        assert server.counts()["batches"]["created"] == 2
        assert server.counts()["statuses"]["gateway_503"] == 2

    def test_files_that_are_not_there(self, server: Server, ours: openai.OpenAI) -> None:
        server.plan(
            {"fault": "not_there_404", "times": 1, "on": "files_content"},
            {"fault": "empty_file_ids"},
        )
        done = self.finished(ours)
        assert done.error_file_id == ""
        with pytest.raises(openai.NotFoundError):
            lines_of(ours, done.output_file_id)
        assert len(lines_of(ours, done.output_file_id)) == 40

    def test_half_sent_results(
        self, server: Server, ours: openai.OpenAI, theirs: anthropic.Anthropic
    ) -> None:
        server.plan({"fault": "half_results", "times": 1})
        done = self.finished(ours)
        with pytest.raises(openai.APIConnectionError):
            lines_of(ours, done.output_file_id)
        assert len(lines_of(ours, done.output_file_id)) == 40
        batch = theirs.messages.batches.create(requests=requests(20))
        theirs.messages.batches.retrieve(batch.id)
        with pytest.raises(Exception, match=r"incomplete|closed"):
            list(theirs.messages.batches.results(batch.id))
        assert len(list(theirs.messages.batches.results(batch.id))) == 20

    def test_enqueued_tokens(self, fault_server: Start) -> None:
        """Ten questions of 10 bytes are 3 tokens each: a second batch does not fit in 50."""
        server = fault_server(enqueued=50)
        with openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as ours:
            first = start_batch(ours, rows(10))
            second = start_batch(ours, rows(10))
            assert second.errors.data[0].code == "token_limit_exceeded"
            ours.batches.retrieve(first.id)
            assert start_batch(ours, rows(10)).status == "validating"
        with anthropic.Anthropic(base_url=server.root, api_key="k", max_retries=0) as theirs:
            theirs.messages.batches.create(requests=requests(10))
            with pytest.raises(anthropic.RateLimitError, match="queue"):
                theirs.messages.batches.create(requests=requests(10))


class TestPlan:
    def test_draws_repeat(self, server: Server, ours: openai.OpenAI) -> None:
        """About 30 of 100 prompts are hit (4 standard deviations are 18), the same ones again."""

        def hit() -> list[int]:
            server.plan({"fault": ["error_500", "rate_limit"], "share": 0.3, "seed": 5})
            return [n for n in range(100) if fails(ours, f"question {n}")]

        once = hit()
        assert 12 <= len(once) <= 48
        assert hit() == once
        statuses = server.counts()["statuses"]
        assert min(statuses["500"], statuses["429"]) > 4

    def test_bad_plans_are_refused(self, server: Server) -> None:
        for rule in ({"fault": "none"}, {"fault": "hang", "shares": 1}, {"share": 1}):
            with pytest.raises(ValueError, match=r"expected faults|unknown field"):
                server.plan(rule)

    def test_on_other_endpoints(self, server: Server, ours: openai.OpenAI) -> None:
        server.plan({"fault": "overloaded_503", "on": ["files_create", "models"], "times": 1})
        with pytest.raises(openai.InternalServerError):
            ours.models.list()
        assert ours.models.list().data
        with pytest.raises(openai.InternalServerError):
            start_batch(ours, rows(1))
        assert start_batch(ours, rows(1)).id


class TestProcess:
    def test_capacity_and_peak(self, fault_server: Start) -> None:
        """Of six calls at once two are served; the others are told to come again."""
        server = fault_server(capacity=2, latency_ms=400, history=False)
        with (
            openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as ours,
            ThreadPoolExecutor(6) as threads,
        ):
            failed = list(threads.map(lambda n: fails(ours, f"q{n}"), range(6)))
        counts = server.counts()
        assert sum(failed) == 4
        assert counts["statuses"] == {"200": 2, "503": 4}
        assert counts["peak"] >= 3
        assert (counts["open"], counts["prompts"]) == (0, {})

    def test_tokens_may_straddle_the_tag(self, fault_server: Start) -> None:
        server = fault_server(straddle=True, verdicts="A,B")
        with openai.OpenAI(base_url=server.url, api_key="k") as ours:
            tokens = chat(ours, logprobs=True, top_logprobs=2).choices[0].logprobs.content
        rivals = [{rival.token for rival in one.top_logprobs} for one in tokens]
        assert {">A", ">B"} in rivals

    def test_kill_breaks_open_calls(self, fault_server: Start) -> None:
        server = fault_server(latency_ms=5000)
        with (
            openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as ours,
            ThreadPoolExecutor(1) as threads,
        ):
            waiting = threads.submit(chat, ours)
            while server.counts()["open"] == 0:
                pass
            server.kill()
            with pytest.raises(openai.APIConnectionError):
                waiting.result()

    def test_two_servers_with_one_seed_agree(self, fault_server: Start) -> None:
        def first(seed: int) -> str:
            server = fault_server(seed=seed)
            with openai.OpenAI(base_url=server.url, api_key="k") as ours:
                return str(chat(ours).choices[0].message.content)

        assert first(3) == first(3) != first(4)

    def test_stops_while_a_call_hangs(self, fault_server: Start) -> None:
        server = fault_server()
        server.plan({"fault": "hang"})
        with openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as ours:
            with pytest.raises(openai.APITimeoutError):
                chat(ours.with_options(timeout=0.2))
            assert server.stop() == 0
            with pytest.raises(openai.APIConnectionError):
                chat(ours)
