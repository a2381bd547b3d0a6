"""Negatives that a model writes: asked again, counted, and chosen from."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.judging.parse import parse_reply
from judgesmith.judging.reply import verdict_text
from judgesmith.models.http.cache import ReplyCache
from judgesmith.models.http.client import Books, HttpModel
from judgesmith.models.http.ledger import Ledger
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    TIE,
    AnnotatorKind,
    Finish,
    Item,
    Judgment,
    PreferenceRow,
    Response,
    Split,
    Status,
    choice,
    index_by_id,
    reorder,
)
from judgesmith.runs.endpoint import Endpoint
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.stages import items, labels, preferences, questions, responses, split
from judgesmith.stages.preferences import checks
from judgesmith.stages.preferences.contrasts import Materials
from judgesmith.stages.preferences.wishes import (
    Case,
    cases_of,
    read_instruction,
)
from judgesmith.stages.preferences.written import Writer, WrittenBy
from judgesmith.tasks import load_dialect, load_task

TASK = load_task("bias")
PAIR = load_dialect(TASK, "bias-pair")
COMPACT = load_dialect(TASK, "bias-pair-compact")
ROWS = "preferences/preferences.jsonl"
ORDERS = ((0, 1), (1, 0))
REASON = "Response A follows the stereotype and Response B is fair."

# Asking, and asking again


class Scripted:
    """Answers a prompt's attempts with the given replies, one after the other."""

    name = "scripted"

    def __init__(self, *answers: Callable[[str, str], str]) -> None:
        self.answers, self.asked = answers, list[Request]()

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            text = request.messages[-1].content
            wrong = read_instruction(text, COMPACT, TASK.mistake_briefs).verdict
            attempt = sum(one.messages == request.messages for one in self.asked)
            self.asked.append(request)
            reply = self.answers[min(attempt, len(self.answers) - 1)](wrong, text)
            yield Completion(
                text=reply, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1, cost_usd=0.5
            )


def good(wrong: str, prompt: str) -> str:
    ending = "Neither is more biased." if wrong == TIE else f"{wrong} is more biased."
    return COMPACT.write_reply(f"Both of them were read with great care here. {ending}", wrong)


def leak(wrong: str, prompt: str) -> str:
    return COMPACT.write_reply(f"Both of them were read. The verdict must be {wrong}.", wrong)


def swapped(wrong: str, prompt: str) -> str:
    """A good reply, but a leak where the second response of an item is shown first."""
    return (leak if "Response A: second" in prompt else good)(wrong, prompt)


@pytest.fixture
def few(make: Any) -> tuple[Materials, list[Case]]:
    """Six labelled pairs with the materials to ask about them."""
    asked_about = [make.question(f"q{i}") for i in range(6)]
    given: list[Response] = []
    cases: list[Case] = []
    for question in asked_about:
        pair = [make.response(question, m, f"{m} {question.text}") for m in ("first", "second")]
        given += pair
        item = make.item(*pair, split=Split.TRAIN)
        judged = [
            Judgment.make(
                source="t", licence="t", item_id=item.id, judge="j", dialect=COMPACT.hash, order=o,
                sample=0, reply=COMPACT.write_reply(REASON, v), rationale=REASON,
                verdict=choice(v), distribution=None, status=Status.PARSED, reference=None,
            )
            for o, v in zip(ORDERS, "AB", strict=True)
        ]  # fmt: skip
        cases += cases_of(item, judged, COMPACT)
    materials = Materials(
        index_by_id(asked_about), index_by_id(given), TASK, COMPACT, TASK.mistake_modes, 7,
        writer="scripted",
    )  # fmt: skip
    return materials, cases


def wrote(few: tuple[Materials, list[Case]], model: Scripted, **config: Any) -> tuple[Any, Writer]:
    writer = Writer(WrittenBy(model="scripted", **config), few[0], model)
    (written,) = writer.write([few[1]])
    return written, writer


def test_a_refused_reply_is_asked_for_again_with_the_next_seed(few: Any) -> None:
    model = Scripted(leak, good)
    written, writer = wrote(few, model, temperature=0.9, reply_tokens=99)
    assert [r.sampling.seed for r in model.asked] == [7] * 12 + [8] * 12
    assert {(r.sampling.temperature, r.sampling.max_tokens) for r in model.asked} == {(0.9, 99)}
    assert [r.messages for r in model.asked[:12]] == [r.messages for r in model.asked[12:]]
    assert {r.record_id for r in model.asked} == {case.item.id for case in few[1]}
    assert (len(written.candidates), written.failed) == (6, {})
    found = writer.tables()
    assert found["by attempt"] == [
        {"asked": 12, "accepted": 0}, {"asked": 12, "accepted": 12}, {"asked": 0, "accepted": 0},
    ]  # fmt: skip
    assert found["rejected by reason"] == {checks.LEAK: 12}
    assert (writer.usage["calls"], writer.usage["cost_usd"]) == (24, 12.0)
    for candidate in written.candidates:
        for one in candidate.contrasts:
            assert one.rejected == good(one.wrong, "")
            assert one.chosen.startswith("<reasoning>Response A follows")


def test_a_pair_whose_twin_stays_bad_is_dropped_with_its_reason(few: Any) -> None:
    written, writer = wrote(few, Scripted(swapped), tries=2)
    assert written.candidates == []
    assert set(written.failed.values()) == {f"no good reply: {checks.LEAK}"}
    found = writer.tables()
    assert (found["requests"], found["accepted"]) == (18, 6)
    assert found["rejected by reason"] == {checks.LEAK: 12}
    assert found["without a good reply, by last reason"] == {checks.LEAK: 6}
    assert (found["wishes"], found["candidates"]) == (6, 0)


def test_the_cap_holds_for_first_and_further_requests_together(few: Any) -> None:
    """A pair costs 4 here, one good reply and three leaks; of 11 requests two pairs are tried out.

    The 3 left begin one pair more, as there is nothing else to spend them on.
    """
    written, writer = wrote(few, model := Scripted(swapped), most_asked=11)
    assert len(model.asked) == 11
    assert Counter(written.failed.values()) == {
        f"no good reply: {checks.LEAK}": 3, "over preferences.teacher.most_asked": 3,
    }  # fmt: skip
    found = writer.tables()
    assert (found["wishes"], found["over preferences.teacher.most_asked"]) == (3, 3)
    assert [one["asked"] for one in found["by attempt"]] == [6, 3, 2]


def many(make: Any) -> tuple[Materials, list[list[Case]]]:
    """48 and 12 labelled pairs for training and dev, three buckets one after the other on each."""
    asked_about, given, sides = [], list[Response](), list[list[Case]]()
    for side, count in ((Split.TRAIN, 48), (Split.DEV, 12)):
        sides.append([])
        for i in range(count):
            asked_about.append(question := make.question(f"{side}{i}"))
            pair = [make.response(question, m, f"{m} {question.text}") for m in ("first", "second")]
            given += pair
            item = make.item(*pair, split=side, bucket=("clear", "subtle", "tie")[3 * i // count])
            judged = [
                Judgment.make(
                    source="t", licence="t", item_id=item.id, judge="j", dialect=COMPACT.hash,
                    order=o, sample=0, reply=COMPACT.write_reply(REASON, v), rationale=REASON,
                    verdict=choice(v), distribution=None, status=Status.PARSED, reference=None,
                )
                for o, v in zip(ORDERS, (TIE, TIE) if item.bucket == "tie" else "AB", strict=True)
            ]  # fmt: skip
            sides[-1] += cases_of(item, judged, COMPACT)
    materials = Materials(
        index_by_id(asked_about), index_by_id(given), TASK, COMPACT, TASK.mistake_modes, 7,
        writer="scripted",
    )  # fmt: skip
    return materials, sides


def test_a_cap_starves_no_bucket_and_no_side_and_wastes_no_twin(make: Any) -> None:
    """Each first reply is bad, so a pair costs 4 of 120 requests, and 30 of 60 can be made.

    Of 16 pairs of a bucket in training about 8 are begun, of 4 in dev about 2; all that are begun
    are finished.
    """
    materials, sides = many(make)
    writer = Writer(WrittenBy(model="s", most_asked=120), materials, model := Scripted(leak, good))
    written = writer.write(sides)
    made = {one.item_id for side in written for one in side.candidates}
    begun = [
        Counter(case.item.bucket for case in side if case.item.id in made) for side in sides
    ]  # fmt: skip
    assert sum(n.total() for n in begun) == 30
    for bucket in ("clear", "subtle", "tie"):
        assert 6 <= begun[0][bucket] <= 10
        assert 1 <= begun[1][bucket] <= 3
    assert len(model.asked) == 120
    found = writer.tables()
    assert (found["wishes"], found["without a good reply, by last reason"]) == (30, {})
    assert [one["asked"] for one in found["by attempt"]] == [60, 60, 0]
    assert Counter(r.record_id for r in model.asked) == dict.fromkeys(made, 4)


def test_under_a_cap_the_same_is_asked_in_whatever_order_items_come(make: Any) -> None:
    materials, sides = many(make)
    one, other = Scripted(leak, good), Scripted(leak, good)
    for model, given in ((one, sides), (other, [side[::-1] for side in sides])):
        Writer(WrittenBy(model="s", most_asked=50), materials, model).write(given)
    assert one.asked == other.asked


def test_twins_are_asked_for_the_same_response_and_the_same_mistake(few: Any) -> None:
    written, _ = wrote(few, model := Scripted(good))
    told = [
        read_instruction(r.messages[-1].content, COMPACT, TASK.mistake_briefs) for r in model.asked
    ]
    for one, other in zip(told[::2], told[1::2], strict=True):
        assert one.mode == other.mode
        assert reorder(choice(one.verdict), (1, 0)) == choice(other.verdict)
    assert Counter(candidate.mode for candidate in written.candidates).most_common()[0][1] == 2


def test_the_recipe_says_who_writes() -> None:
    config = preferences.Config(dialect="bias-pair", teacher={"model": "big"})
    assert config.asks == ("big",)
    assert preferences.Config(dialect="bias-pair").asks == ()
    pretend = {"model": "sim", "simulated": [{"name": "sim"}]}
    assert preferences.Config(dialect="bias-pair", teacher=pretend).asks == ()
    with pytest.raises(ValidationError, match="another try gives the same reply"):
        WrittenBy(model="big", temperature=0)
    with pytest.raises(ValidationError, match="at most 1 together"):
        WrittenBy(model="s", simulated=[{"name": "s", "leak_rate": 0.7, "short_rate": 0.7}])


# The whole stage


def no_model(name: str) -> Any:
    raise AssertionError(f"this stage asks no model, but {name!r} was opened")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A small run, labelled by the key and by a simulated teacher that is always right."""
    run_dir = RunDir(tmp_path_factory.mktemp("run"), Header(name="test", task="bias", seed=7))
    simulated = tuple({"name": style, "style": style} for style in ("terse", "hedged", "confident"))
    bank = questions.Source(kind="bank", count=300)
    drawn = items.Config(preset="published_and_two", quota_scale=0.5)
    teachers = {"primary": "t", "simulated": [{"name": "t", "accuracy": 1, "first_rate": 0}]}
    questions.run(questions.Config(sources=(bank,)), run_dir, no_model)
    responses.run(responses.Config(simulated=simulated), run_dir, no_model)
    items.run(drawn, run_dir, no_model)
    split.run(split.Config(held_out=("religion",)), run_dir, no_model)
    config = labels.Config(dialect=COMPACT.name, key_policy="biased_is_worse", teachers=teachers)
    labels.run(config, run_dir, no_model)
    return run_dir


FAULTY = {
    "leak_rate": 0.1, "inverted_rate": 0.1, "wrong_verdict_rate": 0.1, "short_rate": 0.1,
    "refuse_rate": 0.05, "fail_rate": 0.05,
}  # fmt: skip


def written_by_sim(run_dir: RunDir, labels: AnnotatorKind = AnnotatorKind.KEY) -> StageReport:
    teacher = {"model": "sim", "simulated": [{"name": "sim", **FAULTY}]}
    config = preferences.Config(dialect=COMPACT.name, labels=labels, teacher=teacher)
    return preferences.run(config, run_dir, no_model)


@pytest.mark.parametrize("kind", [AnnotatorKind.KEY, AnnotatorKind.SIMULATED])
def test_a_faulty_writer_gives_good_rows_and_counts_that_add_up(
    labelled: RunDir, kind: AnnotatorKind
) -> None:
    """Labels of a teacher that is right serve as those of the key do, whatever their policy."""
    report = written_by_sim(labelled, kind)
    rows = labelled.read(ROWS, PreferenceRow)
    assert len(rows) == 2 * report.made > 20
    assert report.taken == report.made + sum(report.dropped.values())
    found = report.tables["written by a teacher"]
    rejected = found["rejected by reason"]
    assert found["requests"] == report.calls == found["accepted"] + sum(rejected.values())
    without = found["without a good reply, by last reason"]
    assert found["wishes"] == found["candidates"] + sum(without.values())
    assert set(rejected) == {
        checks.LEAK, checks.OTHER_SIDE, checks.OTHER_VERDICT, checks.SHORT,
        "not read: refused", "not read: call_failed",
    }  # fmt: skip
    # Half of the requests of each round fail, as the rates say.
    first, second, third = found["by attempt"]
    assert 0.4 < first["accepted"] / first["asked"] < 0.6
    assert second["asked"] == first["asked"] - first["accepted"]
    assert third["asked"] == second["asked"] - second["accepted"]
    for row in rows:
        assert row.source == "bias: a label and a mistake written by sim"
        ends = [verdict_text(parse_reply(COMPACT, t).verdict) for t in (row.chosen, row.rejected)]
        assert ends[0] != ends[1]
    assert not [one for one in report.tables["findings"] if one["severity"] == "error"]


def test_the_same_bytes_again_and_in_whatever_order_items_come(labelled: RunDir) -> None:
    written_by_sim(labelled)
    before = labelled.file(ROWS).read_bytes()
    given = labelled.read("split/items.jsonl", Item)
    labelled.write("split/items.jsonl", given[::-1])
    try:
        written_by_sim(labelled)
        assert labelled.file(ROWS).read_bytes() == before
    finally:
        labelled.write("split/items.jsonl", given)


# Over HTTP

TEMPLATE = PAIR.write_reply("Number {number} was read here with much care.", TIE).replace(
    TIE, "{verdict}"
)


class Killed(Exception):
    """The end of a process, as far as a test can have it."""


class Dying:
    """A model whose process ends after so many completions."""

    def __init__(self, model: HttpModel, left: int) -> None:
        self.name, self._model, self._left = model.name, model, left

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for completion in self._model.complete(requests):
            if not self._left:
                raise Killed
            self._left -= 1
            yield completion


def test_over_http_what_was_answered_before_a_kill_is_not_asked_again(
    fault_server: Any, few: Any, tmp_path: Path
) -> None:
    """The server draws its verdicts, so that about one reply in three is the one asked for."""
    server = fault_server(template=TEMPLATE)
    endpoint = Endpoint(protocol="openai", url=server.url, model="judge", in_flight=2)
    books = Books(ReplyCache(tmp_path / "r.sqlite"), Ledger(tmp_path / "l.sqlite", None), "p")
    model = HttpModel("scripted", endpoint, key=None, books=books)
    config, (materials, cases) = WrittenBy(model="scripted", tries=4), few
    try:
        with pytest.raises(Killed):
            Writer(config, materials, Dying(model, 5)).write([cases])
        resumed = Writer(config, materials, model)
        after = resumed.write([cases])
        again = Writer(config, materials, model)
        assert again.write([cases]) == after
    finally:
        books.ledger.close()
        books.cache.close()
    asked_for = resumed.tables()["requests"]
    assert 12 < asked_for <= 48
    assert asked_for <= server.counts()["billed"]["calls"] <= asked_for + 2
    assert resumed.usage["calls"] <= asked_for - 5
    assert again.usage["calls"] == 0
    assert again.tables() == resumed.tables()
    assert checks.OTHER_VERDICT in resumed.tables()["rejected by reason"]
