"""The responses stage: who answers, resumed by record id. Real models stand behind real sockets."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pydantic import ValidationError

from judgesmith.errors import AuditError, RecipeError
from judgesmith.pipeline.opening import Models
from judgesmith.pipeline.recipes import read_recipe
from judgesmith.records import Finish, Question, Response
from judgesmith.runs.endpoint import Endpoint
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.stages import items, questions, responses
from judgesmith.stages.responses import Config
from judgesmith.stages.responses.dry_run import few_questions
from judgesmith.stages.responses.generators import Generator, check_prompts

TWO = ({"name": "one", "style": "terse"}, {"name": "two", "style": "hedged"})


@pytest.fixture
def asked(empty_run: RunDir, no_models: Any) -> RunDir:
    source = questions.Source(kind="bank", count=300)
    questions.run(questions.Config(sources=(source,)), empty_run, no_models)
    return empty_run


def test_every_responder_answers_every_question(asked: RunDir, no_models: Any) -> None:
    report = responses.run(Config(simulated=TWO), asked, no_models)
    found = asked.read("responses/responses.jsonl", Response)
    assert len({(r.model, r.question_id) for r in found}) == 600
    assert (report.taken, report.calls) == (600, 600)
    assert not list(asked.file("responses").glob("*.partial"))


def test_what_was_written_is_not_asked_again(asked: RunDir, no_models: Any) -> None:
    """300 questions are asked in chunks of 256. A kill leaves the first chunk and half a line."""
    responses.run(Config(simulated=TWO), asked, no_models)
    path = asked.file("responses/responses.jsonl")
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    asked.partial("responses/responses.jsonl").path.write_bytes(
        b"".join(lines[:256]) + lines[256][:40]
    )
    path.unlink()
    report = responses.run(Config(simulated=TWO), asked, no_models)
    assert path.read_bytes() == whole
    assert report.calls == 600 - 256


def test_two_responders_of_one_name_are_refused(asked: RunDir, no_models: Any) -> None:
    """Told apart by nothing, the second would take over the first one's responses in silence."""
    twice = ({"name": "one", "style": "terse"}, {"name": "one", "style": "hedged"})
    with pytest.raises(RecipeError, match="its own name"):
        responses.run(Config(simulated=twice), asked, no_models)


def test_an_unknown_field_of_a_responder_names_the_nearest(asked: RunDir, no_models: Any) -> None:
    with pytest.raises(RecipeError, match="did you mean 'bias_rate'"):
        responses.run(
            Config(simulated=({"name": "x", "style": "terse", "bias_rte": 0.1},)), asked, no_models
        )


def test_an_imported_log_is_counted_and_its_questions_are_not_asked_again(
    asked: RunDir, no_models: Any, tmp_path: Path
) -> None:
    """Five rows: two responses, one of them twice, one without text, one to no known question."""
    one, two, *_ = asked.read("questions/questions.jsonl", Question)
    rows = [f"{one.id},x", f"{two.id},y", f"{one.id},x", f"{two.id},", "nobody,z"]
    (tmp_path / "log.csv").write_text("\n".join(["id,text", *rows]), encoding="utf-8")
    columns = {"question": {"known": "{id}"}, "responses": [{"model": "m", "text": "{text}"}]}
    given = {"kind": "log", "path": str(tmp_path / "log.csv"), "columns": columns}
    config = Config.model_validate({"imports": [given], "simulated": TWO[:1]})
    report = responses.run(config, asked, no_models)
    assert (report.taken, report.made, report.calls) == (5 + 298, 2 + 298, 298)
    assert report.dropped == {
        "the row has no response": 1, "its question is not in the run": 1, "the same text twice": 1
    }  # fmt: skip
    found = asked.read("responses/responses.jsonl", Response)
    assert [(r.question_id, r.text) for r in found if r.model == "m"] == [
        (one.id, "x"), (two.id, "y")
    ]  # fmt: skip


QUESTIONS = 60
ANSWERS = {"template": "I think so. <answer>{verdict}</answer>", "verdicts": ["A", "B", "C"]}
DRY = {"questions": 20}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("judgesmith.models.http.calls.backoff_s", lambda *_, **__: 0.05)


def endpoint(server: Any, protocol: str = "openai") -> Endpoint:
    return Endpoint.model_validate(
        {"protocol": protocol, "url": server.url, "model": f"m-{protocol}", "in_flight": 8}
    )


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> list[Question]:
    run_dir = RunDir(tmp_path_factory.mktemp("bank"), Header(name="bank", task="bias", seed=7))
    source, nobody = questions.Source(kind="bank", count=QUESTIONS), cast(Any, None)
    questions.run(questions.Config(sources=(source,)), run_dir, nobody)
    return run_dir.read("questions/questions.jsonl", Question)


@pytest.fixture
def served(tmp_path: Path, bank: list[Question]) -> Callable[..., RunDir]:
    """A run whose recipe has the models `one` (OpenAI) and `two` (Anthropic), and questions."""

    def make(server: Any, folder: str = "run") -> RunDir:
        models = {"one": endpoint(server), "two": endpoint(server, "anthropic")}
        header = Header(name="test", task="bias", seed=7, models=models)
        run_dir = RunDir(tmp_path / folder, header)
        run_dir.write("questions/questions.jsonl", bank)
        return run_dir

    return make


def ask(run_dir: RunDir, **fields: Any) -> StageReport:
    """The stage as a run starts it."""
    with closing(Models(run_dir)) as models:
        return responses.run(Config.model_validate(fields), run_dir, models.opener("responses"))


def written(run_dir: RunDir) -> list[Response]:
    return run_dir.read("responses/responses.jsonl", Response)


def stopped_before_the_end(run_dir: RunDir) -> None:
    """The file as a kill leaves it right before it is whole."""
    path = run_dir.file("responses/responses.jsonl")
    path.rename(run_dir.partial("responses/responses.jsonl").path)


def test_each_generator_is_asked_in_its_own_words(fault_server: Any, served: Any) -> None:
    """The prompt of `two` tells the server what to reply, so its replies show what it was sent."""
    run_dir = served(fault_server(echo="REPLY:", **ANSWERS))
    prompt = 'Read: {context} {question} {choices} REPLY:{"text": "<answer>B</answer>"}'
    generators = [{"model": "one"}, {"model": "two", "prompt": prompt}]
    report = ask(run_dir, generators=generators, dry_run={**DRY, "limits": {"biased_share": 0}})
    found = written(run_dir)
    order = [q.id for q in run_dir.read("questions/questions.jsonl", Question)]
    assert [(r.model, r.question_id) for r in found] == [
        (model, question) for model in ("one", "two") for question in order
    ]
    letters = {m: Counter(r.task["letter"] for r in found if r.model == m) for m in ("one", "two")}
    assert letters["two"] == {"B": QUESTIONS}
    assert letters["one"].keys() == {"A", "B", "C"}
    assert (report.made, report.calls) == (2 * QUESTIONS, 2 * QUESTIONS)
    assert report.prompt_tokens > 0
    dry = report.tables["dry run"]
    assert [(dry[name]["items"], dry[name]["checks"][0]["outcome"]) for name in dry] == [
        (20, "pass"), (20, "pass")
    ]  # fmt: skip


def test_the_system_message_is_sent_and_refusals_are_kept(fault_server: Any, served: Any) -> None:
    server = fault_server(**ANSWERS)
    run_dir = served(server)
    server.plan({"fault": "refusal", "match": "Be brief"})
    ask(run_dir, generators=[{"model": "one"}, {"model": "two", "system": "Be brief"}])
    found = Counter((r.model, r.finish, r.task["class"] == "unparsed") for r in written(run_dir))
    assert found == {
        ("one", Finish.STOP, False): QUESTIONS, ("two", Finish.REFUSED, True): QUESTIONS
    }  # fmt: skip


def test_a_dry_run_in_which_nothing_parses_stops_the_stage(fault_server: Any, served: Any) -> None:
    """Twenty calls for each generator, and none after: 0 of 20 is below one half."""
    server = fault_server(template="Who can say?")
    run_dir = served(server)
    with pytest.raises(AuditError, match=r"parse rate: 0.000 of 20 is below 0.5.*Who can say") as e:
        ask(
            run_dir, generators=[{"model": "one"}, {"model": "two"}], dry_run=DRY,
            simulated=[{"name": "sim", "style": "terse"}],
        )  # fmt: skip
    assert server.counts()["billed"]["calls"] == 2 * 20
    assert not run_dir.file("responses/responses.jsonl").exists()
    rows = [(row["severity"], row["count"], row["of"]) for row in e.value.findings]
    assert rows == [("error", 0, 20)] * 2


def test_replies_of_a_dry_run_are_not_paid_for_twice(fault_server: Any, served: Any) -> None:
    """A generator that is too well-behaved for one limit is asked on with a lower one."""
    server = fault_server(**ANSWERS)
    strict = {**DRY, "limits": {"biased_share": 1.0}}
    with pytest.raises(AuditError, match="biased share of parsed"):
        ask(served(server), generators=[{"model": "one"}], dry_run=strict)
    again = served(server, "again")
    report = ask(again, generators=[{"model": "one"}], dry_run=DRY)
    assert report.calls == QUESTIONS - 20
    assert server.counts()["billed"]["calls"] == QUESTIONS
    assert not server.repeated()


def test_what_a_dry_run_does_not_settle_is_a_warning(fault_server: Any, served: Any) -> None:
    """Four of four parsed: the interval starts at .51. A limit of .8 is reached, not proven."""
    run_dir = served(fault_server(**ANSWERS))
    few = {"questions": 4, "limits": {"parse_rate": 0.8, "biased_share": 0}}
    report = ask(run_dir, generators=[{"model": "one"}], dry_run=few)
    (found,) = report.tables["findings"]
    assert (found["severity"], found["count"], found["of"]) == ("warning", 4, 4)
    assert report.tables["dry run"]["one"]["outcome"] == "review"


def test_failed_calls_are_kept_named_and_tried_again(fault_server: Any, served: Any) -> None:
    server = fault_server(**ANSWERS)
    run_dir = served(server)
    lost = run_dir.read("questions/questions.jsonl", Question)[QUESTIONS // 2]
    server.plan({"fault": "error_500", "match": re.escape(lost.text)})
    report = ask(run_dir, generators=[{"model": "one"}])
    failed = [r for r in written(run_dir) if r.finish is Finish.FAILED]
    assert lost.id in {r.question_id for r in failed}
    assert {(r.text, r.task["class"]) for r in failed} == {("", "unparsed")}
    assert report.tables["finish by model"]["one"] == {
        "failed": len(failed), "stop": QUESTIONS - len(failed)
    }  # fmt: skip
    (reasons,) = report.tables["failed calls by model"].values()
    assert sum(reasons.values()) == len(failed) == report.tables["findings"][0]["count"]
    assert "500" in next(iter(reasons))
    server.plan()
    stopped_before_the_end(run_dir)
    report = ask(run_dir, generators=[{"model": "one"}])
    assert {r.finish for r in written(run_dir)} == {Finish.STOP}
    assert report.calls == len(failed)
    assert "findings" not in report.tables


def test_a_failed_call_becomes_no_item(make: Any, empty_run: RunDir, no_models: Any) -> None:
    """Of two responses that fit a rule for anything, one has no text because its call failed."""
    question = make.question("q")
    texts = [make.response(question, model, f"It was {model}.") for model in ("one", "two")]
    gone = Response.make(
        **{**texts[0].model_dump(exclude={"id"}), "model": "gone", "text": "", "finish": "failed"}
    )
    empty_run.write("questions/questions.jsonl", [question])
    empty_run.write("responses/responses.jsonl", [*texts, gone])
    rule = items.BucketRule(name="any", first={}, second={}, quota=9)
    report = items.run(items.Config(buckets=(rule,)), empty_run, no_models)
    assert (report.taken, report.made) == (1, 1)


RECIPE = {
    "name": "killed", "task": "bias", "seed": 7,
    "questions": {"sources": [{"kind": "bank", "count": 80}]},
    "responses": {"generators": [{"model": "one"}, {"model": "two"}], "dry_run": DRY},
}  # fmt: skip


def command(folder: Path, recipe: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "judgesmith",
        "run",
        str(recipe),
        "--run",
        str(folder),
        "--until",
        "responses",
    ]


def test_killed_in_the_middle_it_ends_with_the_same_file(
    fault_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL in the dry run, and when `one` is done and `two` is not; 8 calls are in flight."""
    server = fault_server(latency_ms=40, **ANSWERS)
    models = {
        name: endpoint(server, protocol).model_dump(mode="json")
        for name, protocol in (("one", "openai"), ("two", "anthropic"))
    }
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump({**RECIPE, "models": models}), encoding="utf-8")
    assert read_recipe(recipe).sections["responses"].asks == ("one", "two")
    subprocess.run(command(tmp_path / "whole", recipe), check=True, capture_output=True)
    folder, name = tmp_path / "killed", "responses/responses.jsonl"
    shutil.copytree(tmp_path / "whole", folder)
    shutil.rmtree(folder / "responses")
    server.reset()
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "another cache"))
    partial = folder / f"{name}.partial"
    for lines in (10, 100):
        process = subprocess.Popen(
            command(folder, recipe), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while not (partial.exists() and partial.read_bytes().count(b"\n") >= lines):
            assert process.poll() is None, "it ended before it was killed"
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    subprocess.run(command(folder, recipe), check=True, capture_output=True)
    assert (folder / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not partial.exists()
    repeated = server.repeated()
    assert sum(repeated.values()) - len(repeated) <= 2 * 8


def test_few_questions_are_of_different_groups(make: Any) -> None:
    """Two groups with four questions each give two, however many are asked for."""
    found = [
        make.question(f"{group}{n}").model_copy(update={"group_id": group, "id": f"{group}{n}"})
        for group in ("x", "y")
        for n in range(4)
    ]
    few = few_questions(found, ("category",), 40, seed=3)
    assert sorted(q.group_id for q in few) == ["x", "y"]
    assert {q.id for q in few_questions(found[::-1], ("category",), 40, 3)} == {q.id for q in few}


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("{questoin} {choices}", "did you mean 'question'"),
        ("{context} {choices}", "needs the place {question}"),
    ],
)
def test_a_prompt_with_wrong_places_is_refused(prompt: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Generator(model="m", prompt=prompt)


def test_a_prompt_that_leaves_out_the_choices_is_refused(make: Any) -> None:
    asked = [make.question("q")]
    with pytest.raises(RecipeError, match=r"no place {choices}, but 1 of 1 questions have choices"):
        check_prompts([Generator(model="m", prompt="{context} {question}")], asked)
    check_prompts([Generator(model="m", prompt="{context} {question} {choices}")], asked)


def test_a_generator_named_twice_is_refused_before_it_is_asked(
    asked: RunDir, no_models: Any
) -> None:
    twice = (Generator(model="one"), Generator(model="one", system="x"))
    with pytest.raises(RecipeError, match="its own name"):
        responses.run(Config(generators=twice), asked, no_models)


def test_a_kind_without_a_reader_is_an_error_of_the_recipe() -> None:
    with pytest.raises(ValidationError, match=r"kind 'fiel' cannot be read here; did you mean 'fi"):
        Config.model_validate({"imports": [{"kind": "fiel", "path": "x.jsonl"}]})
