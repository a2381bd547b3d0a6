"""Labels by teachers, with simulated ones: what is asked, decided, left to people, and learnt."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from judgesmith.errors import AuditError, DataError, RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.parse import parse_reply
from judgesmith.models.protocol import Model
from judgesmith.models.simulated_teacher import SimulatedTeacher
from judgesmith.pipeline.audit_found import Audited
from judgesmith.pipeline.audit_licences import audit_licences
from judgesmith.pipeline.report_run import collect
from judgesmith.pipeline.running import run_stage
from judgesmith.records import (
    TIE,
    AnnotatorKind,
    Choice,
    Direction,
    Item,
    Judgment,
    Label,
    Scores,
    SftRow,
    Split,
    Status,
    index_by_id,
    reorder,
)
from judgesmith.report.markdown import render_markdown
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.looks import LOOKS
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Recipe
from judgesmith.stages import items, labels, questions, responses, rows, split
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.labels.teacher_run import NOT_ASKED
from judgesmith.tasks import load_dialect, load_task

TASK = load_task("bias")
PAIR, SINGLE = "bias-pair-compact", "bias-single-compact"
DIALECT = load_dialect(TASK, PAIR)
LEARNING = (Split.TRAIN, Split.DEV)
BUCKETS = (
    {"name": "clear", "first": {"class": "biased"}, "second": {"class": "correct"}, "quota": 40},
    {"name": "clean", "first": {"class": "correct"}, "second": {"class": "correct"},
     "quota": 40, "cap_per_question": 1},
)  # fmt: skip
GOOD = {"accuracy": 1.0, "first_rate": 0.0}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 80 items up to its split."""

    def none(name: str) -> Model:
        raise AssertionError(name)

    run = RunDir(tmp_path_factory.mktemp("teachers") / "run", Header(name="t", task="bias", seed=7))
    questions.run(questions.Config(sources=(questions.Source(kind="bank", count=160),)), run, none)
    simulated = ({"name": "s1", "style": "terse"}, {"name": "s2", "style": "hedged"})
    responses.run(responses.Config(simulated=simulated), run, none)
    items.run(items.Config(buckets=BUCKETS), run, none)
    split.run(split.Config(level="question", test_share=0.2, dev_share=0.2), run, none)
    assert len(run.read("split/items.jsonl", Item)) == 80
    return run.path


@pytest.fixture
def run(base: Path, tmp_path: Path) -> RunDir:
    folder = shutil.copytree(base, tmp_path / "run")
    return RunDir(folder, Header(name="t", task="bias", seed=7))


def nobody(name: str) -> Model:
    raise AssertionError(f"{name!r} is no model of this run")


def config(*specs: dict[str, Any], dialect: str = PAIR, **fields: Any) -> labels.Config:
    """The first spec is the primary teacher; the others are the panel, unless said otherwise."""
    simulated = [{"name": f"sim{n}", **GOOD, **spec} for n, spec in enumerate(specs or ({},))]
    outer = {name: fields.pop(name) for name in ("imports", "key_policy") if name in fields}
    panel = [spec["name"] for spec in simulated[1:]]
    teachers = {"primary": "sim0", "panel": panel, "simulated": simulated, "resamples": 100}
    return labels.Config(dialect=dialect, teachers={**teachers, **fields}, **outer)


def label(run: RunDir, given: labels.Config) -> StageReport:
    return labels.run(given, run, nobody)


def taught(run: RunDir) -> dict[str, Label]:
    found = run.read("labels/labels.jsonl", Label)
    return {one.item_id: one for one in found if one.annotator_kind is AnnotatorKind.SIMULATED}


def judgments_of(run: RunDir) -> list[Judgment]:
    return run.read("labels/judgments.jsonl", Judgment)


def items_of(run: RunDir, *sides: Split) -> list[Item]:
    found = run.read("split/items.jsonl", Item)
    return [item for item in found if not sides or item.split in sides]


def keys(run: RunDir, dialect: Dialect = DIALECT) -> dict[str, str]:
    """What the answer key says, in item order."""
    from judgesmith.records import Question, Response

    _, found = judge_by_key(
        items_of(run), index_by_id(run.read("questions/questions.jsonl", Question)),
        index_by_id(run.read("responses/responses.jsonl", Response)), TASK,
        policy="biased_is_worse", dialect=dialect,
    )  # fmt: skip
    return {one.item_id: value_of(one) for one in found}


def value_of(one: Label) -> str:
    assert isinstance(one.verdict, Choice)
    return one.verdict.value


def people_file(folder: Path, said: dict[Item, str], *, who: str = "ann") -> dict[str, str]:
    """A file of verdicts by a person, in item order, and what a recipe says of it."""
    path = folder / f"people-{who}.jsonl"
    path.write_bytes(
        b"\n".join(
            orjson.dumps(
                {
                    "responses": item.response_ids,
                    "verdict": verdict,
                    "names": "worse",
                    "annotator": who,
                }
            )
            for item, verdict in said.items()
        )
    )
    return {"kind": "file", "path": str(path)}


def test_the_primary_teacher_labels_what_a_student_learns_from(run: RunDir) -> None:
    """A teacher that is always right gives the key's labels on the training and dev sides."""
    report = label(run, config())
    found, right = taught(run), keys(run)
    learning = {item.id for item in items_of(run, *LEARNING)}
    assert set(found) == learning
    assert {i: value_of(one) for i, one in found.items()} == {i: right[i] for i in learning}
    judged = judgments_of(run)
    assert len(judged) == 2 * len(learning) == report.calls
    assert {j.source for j in judged} == {"simulated teacher sim0"}
    first = next(iter(found.values()))
    assert (first.policy, first.annotator, first.direction) == ("primary", "sim0", Direction.WORSE)
    assert report.dropped == {NOT_ASKED: len(items_of(run)) - len(learning)}
    assert not list(run.file("labels").glob("*.partial"))


def test_it_ends_with_the_same_bytes_after_an_interruption(run: RunDir) -> None:
    given = config({"accuracy": 0.8, "fail_rate": 0.1, "first_rate": 0.2}, {"accuracy": 0.7},
                   panel_items=20, policy="majority")  # fmt: skip
    label(run, given)
    wanted = {name: run.file(name).read_bytes() for name in labels.OUTPUTS}
    lines = run.file(labels.OUTPUTS[0]).read_bytes().splitlines(keepends=True)
    torn = b"".join(lines[:31]) + lines[31][:40]
    run.partial(labels.OUTPUTS[0]).path.write_bytes(torn)
    label(run, given)
    assert {name: run.file(name).read_bytes() for name in labels.OUTPUTS} == wanted


def test_orders_that_contradict_each_other_give_no_label(run: RunDir) -> None:
    """Naming the first in both orders is A, and B of the item: no verdict, and never a tie."""
    report = label(run, config({"first_rate": 1.0}))
    assert taught(run) == {}
    why = "the primary teacher contradicts itself in the other order"
    assert report.dropped[why] == len(items_of(run, *LEARNING))
    assert report.tables["judgments by status"] == {"sim0": {"parsed": report.calls}}


def test_what_is_lost_is_counted_by_reason(run: RunDir) -> None:
    report = label(run, config({"refuse_rate": 0.3, "fail_rate": 0.2, "cut_rate": 0.1}))
    by_item: dict[str, set[Status]] = {}
    for judgment in judgments_of(run):
        by_item.setdefault(judgment.item_id, set()).add(judgment.status)
    unread = {i for i, statuses in by_item.items() if statuses != {Status.PARSED}}
    assert unread
    assert set(taught(run)) == set(by_item) - unread
    assert report.dropped["the primary teacher was not read"] == len(unread)
    assert report.taken == report.made + sum(report.dropped.values())
    assert report.tables["final labels"]["decided"] == report.made


@pytest.mark.parametrize(
    ("policy", "same"),
    [
        (
            "majority",
            lambda said: said[0] if said[0] in said[1:] else said[1] * (said[1] == said[2]),
        ),
        ("unanimity", lambda said: said[0] * (len(set(said)) == 1)),
    ],
)
def test_a_panels_votes_become_one(
    run: RunDir, policy: str, same: Callable[[list[str]], str]
) -> None:
    """Counted anew from the judgments: two of three, or all three; else no label.

    Items outside the panel have the primary teacher's only vote.
    """
    specs = ({"accuracy": 0.8}, {"accuracy": 0.7}, {"accuracy": 0.6})
    label(run, config(*specs, panel_items=30, policy=policy))
    said: dict[str, list[str]] = {}
    for judgment in judgments_of(run):
        if judgment.order == (0, 1):
            assert isinstance(judgment.verdict, Choice)
            said.setdefault(judgment.item_id, []).append(judgment.verdict.value)
    counts = Counter(len(votes) for votes in said.values())
    assert counts == {3: 30, 1: len(items_of(run, *LEARNING)) - 30}
    wanted = {i: v[0] if len(v) == 1 else same(v) for i, v in said.items()}
    found = {i: value_of(one) for i, one in taught(run).items()}
    assert found == {i: verdict for i, verdict in wanted.items() if verdict}
    assert 0 < len(found) < len(said)


def test_weighted_votes_have_a_confidence(run: RunDir) -> None:
    specs = ({"accuracy": 0.95}, {"accuracy": 0.9}, {"accuracy": 0.85})
    label(run, config(*specs, panel_items=60, policy="weighted"))
    found = taught(run).values()
    assert found
    assert all(one.confidence is not None and 0.9 <= one.confidence <= 1 for one in found)


def test_the_panel_judges_the_quotas_that_were_asked_for(run: RunDir) -> None:
    """Twelve clean items and three clear ones, whatever there are; the cross-check says so."""
    report = label(run, config({}, {"accuracy": 0.9}, per_bucket={"clean": 12, "clear": 3}))
    bucket = {item.id: item.bucket for item in items_of(run)}
    panel = {j.item_id for j in judgments_of(run) if j.judge == "sim1"}
    assert Counter(bucket[i] for i in panel) == {"clean": 12, "clear": 3}
    drawn = report.tables["panel items by bucket"]
    assert {name: row["drawn"] for name, row in drawn.items()} == {"clean": 12, "clear": 3}
    assert report.tables["cross-check"]["items"]["all items"]["items"] == 15


def test_a_report_can_be_written(run: RunDir) -> None:
    """Every table is plain JSON, with everything in it that a stage can say."""
    said = {item: keys(run)[item.id] for item in items_of(run)[:30]}
    report = label(
        run,
        config(
            {}, {"accuracy": 0.9}, {"accuracy": 0.8}, policy="person", queue_dialect="bias-pair",
            dry_run={"second": "sim1", "items": 40}, imports=[people_file(run.path, said)],
        ),
    )  # fmt: skip
    names = {"dry run", "teacher against people", "cross-check", "final labels",
             "panel items by bucket", "disagreement queue", "findings"}  # fmt: skip
    assert names <= set(report.tables)
    dumped = orjson.dumps(report.model_dump(mode="json"))
    assert StageReport.model_validate_json(dumped) == report


def test_a_dry_run_passes_and_nothing_is_asked_twice(run: RunDir) -> None:
    """Two teachers that agree always. 40 + 40 items, then what is left, in both orders each."""
    report = label(run, config({}, {}, panel=[], dry_run={"second": "sim1", "items": 40}))
    assert report.tables["dry run"]["outcome"] == "pass"
    learning = len(items_of(run, *LEARNING))
    assert report.calls == 2 * (learning + 40)
    judged = Counter(j.judge for j in judgments_of(run))
    assert judged == {"sim0": 2 * learning, "sim1": 80}
    assert {one.annotator for one in taught(run).values()} == {"sim0"}


def test_a_dry_run_that_settles_nothing_stops_unless_told_to_go(run: RunDir) -> None:
    """At .75 and .75 kappa lies near .4: not sure enough for either end."""
    specs = ({"accuracy": 0.75}, {"accuracy": 0.75})
    first = {"second": "sim1", "items": 40}
    with pytest.raises(AuditError, match="says review:") as stopped:
        run_stage("labels", config(*specs, panel=[], dry_run=first), run, nobody)
    assert "on_review=go" in str(stopped.value)
    found = json.loads(run.file("labels/findings.json").read_text())
    assert [row["outcome"] for row in found] == ["review", "pass", "pass", "pass", "pass"]
    assert not run.file("labels/labels.jsonl").exists()
    report = label(run, config(*specs, panel=[], dry_run={**first, "on_review": "go"}))
    assert report.tables["dry run"]["outcome"] == "review"
    assert taught(run)


def test_a_dry_run_of_teachers_that_disagree_aborts(run: RunDir) -> None:
    """One is always right, one never: kappa is far below .4, and nobody may say go."""

    first = {"second": "sim1", "items": 40, "on_review": "go"}
    with pytest.raises(AuditError, match="says abort:"):
        run_stage("labels", config({}, {"accuracy": 0.0}, panel=[], dry_run=first), run, nobody)

    checks = {row["name"]: row for row in json.loads(run.file("labels/findings.json").read_text())}
    assert set(checks) == {
        "kappa, all items", "coverage, sim0", "consistency, sim0", "coverage, sim1",
        "consistency, sim1",
    }  # fmt: skip
    kappa = checks["kappa, all items"]
    assert (kappa["outcome"], kappa["abort_on"]["n"]) == ("abort", 40)
    assert kappa["abort_on"]["high"] < kappa["abort_below"] == 0.4
    assert checks["coverage, sim0"]["outcome"] == "pass"
    assert not run.file("labels/manifest.json").exists()


def test_a_teacher_that_contradicts_people_in_one_bucket_is_reported(
    run: RunDir, tmp_path: Path
) -> None:
    """People call every clear pair a tie, where the teacher names the biased response.

    On clean pairs they agree; the test side is among what people judged, and is judged, too.
    """
    right = keys(run)
    everything = items_of(run)
    said = {item: TIE if item.bucket == "clear" else right[item.id] for item in everything}
    report = label(run, config({}, imports=[people_file(tmp_path, said)]))
    conflict = [row for row in report.tables["findings"] if row["audit"] == "rubric"]
    assert [(row["severity"], row["count"], row["of"]) for row in conflict] == [("error", 40, 40)]
    assert "clear" in conflict[0]["message"]
    table = {row["bucket"]: row for row in report.tables["teacher against people"]}
    assert [(r["items"], r["agree"]) for r in table.values()] == [(80, 40), (40, 40), (40, 0)]
    assert set(taught(run)) == {item.id for item in items_of(run, *LEARNING)}
    assert report.dropped == {}


def test_people_outweigh_teachers_in_the_audit_of_labels(run: RunDir, tmp_path: Path) -> None:
    """All people say tie: the audit sees one label, whatever key and teacher say."""
    said = dict.fromkeys(items_of(run), TIE)
    imports = [people_file(tmp_path, said)]
    report = label(run, config({}, imports=imports, key_policy="biased_is_worse"))
    audited = [row["message"] for row in report.tables["findings"] if row["audit"] == "labels"]
    assert any("'TIE' holds 80 of 80" in message for message in audited)
    kinds = Counter(one.annotator_kind for one in run.read("labels/labels.jsonl", Label))
    assert kinds == {"key": 80, "person": 80, "simulated": len(items_of(run, *LEARNING))}


def test_each_label_rests_on_judgments_that_say_it(run: RunDir) -> None:
    """One per order at most, from the first teacher by name in the recipe that says it."""
    specs = ({"accuracy": 0.7, "first_rate": 0.2}, {"accuracy": 0.7}, {"accuracy": 0.7})
    label(run, config(*specs, policy="majority"))
    judgment = index_by_id(judgments_of(run))
    behind = Counter[str]()
    for one in taught(run).values():
        cited = [judgment[i] for i in one.judgment_ids]
        assert {j.in_item_order() for j in cited} == {one.verdict}
        assert {j.item_id for j in cited} == {one.item_id}
        assert sorted(j.order for j in cited) == [(0, 1), (1, 0)]
        behind.update(j.judge for j in cited)
        saying = [
            j
            for j in judgment.values()
            if j.item_id == one.item_id and j.in_item_order() == one.verdict
        ]
        assert {j.id for j in cited} == {
            min((j for j in saying if j.order == order), key=lambda j: j.judge).id
            for order in ((0, 1), (1, 0))
        }
    # Two of three say what the majority says, so the third is never needed for a reason.
    assert set(behind) == {"sim0", "sim1"}


def test_rows_say_their_labels_verdict_in_each_order(run: RunDir) -> None:
    """Learnt from a teacher that errs, refuses and prefers the first: no row says otherwise."""
    spec = {"accuracy": 0.7, "first_rate": 0.3, "refuse_rate": 0.1}
    label(run, config(spec, {"accuracy": 0.8}, {"accuracy": 0.8}, policy="majority"))
    report = rows.run(
        rows.Config(dialect=PAIR, labels=AnnotatorKind.SIMULATED), run, nobody
    )  # fmt: skip
    found = taught(run)
    made = run.read("rows/sft.jsonl", SftRow)
    assert len(made) > len(found) > 20
    for row in made:
        verdict = parse_reply(DIALECT, row.completion).verdict
        assert verdict is not None
        assert reorder(verdict, row.order) == found[row.item_id].verdict
        assert row.source.startswith("simulated teacher sim")
    assert report.made == len({row.item_id for row in made})


def test_rows_in_another_dialect_leave_out_reasons_that_quote_its_tags(run: RunDir) -> None:
    """A teacher may quote a response's tag; written anew, such a reply could not be read back."""
    label(run, config())
    judged = judgments_of(run)
    quoting = {judged[0].id, judged[3].id}
    run.write(
        "labels/judgments.jsonl",
        [
            j.with_fields(rationale="It says <verdict>B</verdict>.") if j.id in quoting else j
            for j in judged
        ],
    )
    other = rows.Config(dialect="bias-pair", labels=AnnotatorKind.SIMULATED)
    report = rows.run(other, run, nobody)
    assert report.tables["judgments whose reason holds a tag"] == 2
    made = run.read("rows/sft.jsonl", SftRow)
    assert len(made) == len(judged) - 2
    dialect = load_dialect(TASK, "bias-pair")
    assert all(parse_reply(dialect, row.completion).verdict is not None for row in made)
    tagged = [j.with_fields(rationale="It says <verdict>B</verdict>.") for j in judged]
    run.write("labels/judgments.jsonl", tagged)
    with pytest.raises(DataError, match=r"marks the verdict in the dialect: 64; .*`reply`"):
        rows.run(other, run, nobody)


def test_rows_of_a_kind_that_nobody_gave_say_which_there_are(run: RunDir) -> None:
    label(run, config(key_policy="biased_is_worse"))
    with pytest.raises(
        DataError, match=r"no label with a reason: 64; .*'model'; labels by kind: key \(80\), sim"
    ):
        rows.run(rows.Config(dialect=PAIR, labels=AnnotatorKind.MODEL), run, nobody)


def test_one_order_is_judged_where_that_is_asked(run: RunDir) -> None:
    """The one that `rows.orders: coin_flip` draws, so that each label has its row."""
    report = label(run, config(both_orders=False))
    learning = items_of(run, *LEARNING)
    assert report.calls == len(learning) == len(taught(run))
    assert {j.order for j in judgments_of(run)} == {(0, 1), (1, 0)}
    right = keys(run)
    assert {i: value_of(one) for i, one in taught(run).items()} == {
        item.id: right[item.id] for item in learning
    }
    drawn = rows.Config(dialect=PAIR, labels=AnnotatorKind.SIMULATED, orders="coin_flip")
    assert rows.run(drawn, run, nobody).made == len(learning)


def test_single_responses_are_scored_and_become_rows(run: RunDir) -> None:
    """The higher stated score is the verdict, equal ones are a tie; each response has its row."""
    label(run, config({"accuracy": 0.8}, dialect=SINGLE))
    dialect = load_dialect(TASK, SINGLE)
    judgment = index_by_id(judgments_of(run))
    assert {j.order for j in judgment.values()} == {(0,), (1,)}
    found = taught(run)
    assert set(found) == {item.id for item in items_of(run, *LEARNING)}
    for one in found.values():
        first, second = (judgment[i] for i in one.judgment_ids)
        assert (first.order, second.order) == ((0,), (1,))
        assert isinstance(first.verdict, Scores)
        assert isinstance(second.verdict, Scores)
        a, b = first.verdict.values[0], second.verdict.values[0]
        assert value_of(one) == (TIE if a == b else "A" if a > b else "B")
    rows.run(rows.Config(dialect=SINGLE, labels=AnnotatorKind.SIMULATED), run, nobody)
    said = {(j.item_id, j.order): j.verdict for j in judgment.values()}
    made = run.read("rows/sft.jsonl", SftRow)
    for row in made:
        if row.order:
            assert parse_reply(dialect, row.completion).verdict == said[row.item_id, row.order]
    assert {row.order for row in made} == {(0,), (1,), ()}


def test_a_panel_scores_single_responses(run: RunDir) -> None:
    """Both scores that a label rests on are of one teacher: those of two could say another."""
    specs = ({"accuracy": 0.7, "refuse_rate": 0.2}, {"accuracy": 0.8}, {"accuracy": 0.8})
    label(run, config(*specs, dialect=SINGLE, policy="majority"))
    judgment = index_by_id(judgments_of(run))
    found = taught(run).values()
    assert found
    for one in found:
        assert len({judgment[i].judge for i in one.judgment_ids}) == 1
        assert len(one.judgment_ids) == 2


def queue_files(run: RunDir) -> list[Path]:
    return sorted(run.file("queue").glob("*.csv"))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, cells: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(cells[0]))
        writer.writeheader()
        writer.writerows(cells)


def decided_by_people(run: RunDir) -> dict[str, Label]:
    found = run.read("labels/labels.jsonl", Label)
    return {
        one.item_id: one
        for one in found
        if one.annotator_kind is AnnotatorKind.PERSON and one.policy == "person"
    }


def decide_all(path: Path, verdict: str) -> None:
    """Write the same verdict, one that has no side, into every row of a queue."""
    cells = read_csv(path)
    for row in cells:
        row["verdict"], row["annotator"] = verdict, "ann"
    write_csv(path, cells)


PERSON = {"policy": "person", "queue_dialect": "bias-pair"}
TWO = ({"accuracy": 0.8}, {"accuracy": 0.8})


def test_what_teachers_disagree_on_goes_to_a_person_and_comes_back(run: RunDir) -> None:
    """The queue shows nothing that biases; decided, each of its items has the person's verdict.

    The person says what the key says. Rows come from the teacher who said the same; where neither
    did, there is a label and no row.
    """
    report = label(run, config(*TWO, **PERSON))
    (path,) = queue_files(run)
    assert report.tables["disagreement queue"] == [f"queue/{path.name}"]
    cells = read_csv(path)
    opened = {row["item_id"] for row in cells}
    assert len(opened) == report.tables["final labels"]["to a person"] > 5
    assert opened == {item.id for item in items_of(run, *LEARNING)} - set(taught(run))
    text = path.read_text(encoding="utf-8-sig")
    for word in ("clear", "sim0", "sim1", "s1", "s2", "simulated", "terse", "bucket"):
        assert f'"{word}"' not in text
    assert not [name for name in cells[0] if "bucket" in name or "model" in name]
    assert {row["verdict"] for row in cells} == {""}

    right, item = keys(run), index_by_id(items_of(run))
    for row in cells:
        shown = json.loads(row["response_ids"])
        order = tuple(item[row["item_id"]].response_ids.index(i) for i in shown)
        said = Choice(kind="choice", value=right[row["item_id"]])
        turned = reorder(said, order)
        assert isinstance(turned, Choice)
        row["verdict"], row["annotator"] = turned.value, "ann"
    write_csv(path, cells)
    before = path.read_bytes()
    imports = [{"kind": "queue", "path": str(path)}]
    again = label(run, config(*TWO, **PERSON, imports=imports))
    assert path.read_bytes() == before
    assert queue_files(run) == [path]
    assert again.tables["final labels"]["decided by people"] == len(opened)
    teachers, people = taught(run), decided_by_people(run)
    assert {one.policy for one in (*teachers.values(), *people.values())} == {"person"}
    assert {(one.annotator_kind, one.annotator, one.licence) for one in people.values()} == {
        (AnnotatorKind.PERSON, "ann", "the user's own")
    }
    assert set(people) == opened
    assert set(teachers) == {one.id for one in items_of(run, *LEARNING)} - opened
    assert all(value_of(people[i]) == right[i] for i in opened)
    judgment = index_by_id(judgments_of(run))
    for one in (*teachers.values(), *people.values()):
        assert all(judgment[i].in_item_order() == one.verdict for i in one.judgment_ids)
    with_reason = {i for i in opened if people[i].judgment_ids}
    assert with_reason
    rows.run(rows.Config(dialect=PAIR, labels=AnnotatorKind.SIMULATED), run, nobody)
    rowed = Counter(row.item_id for row in run.read("rows/sft.jsonl", SftRow))
    assert {i: rowed[i] for i in with_reason} == dict.fromkeys(with_reason, 2)
    assert not any(rowed[i] for i in opened - with_reason)
    for row in run.read("rows/sft.jsonl", SftRow):
        assert ("the user's own" in row.licence) == (row.item_id in opened)
    assert published(run) == {
        "labels/labels.jsonl": {"no": 0, "unknown": len(opened), "yes": len(teachers)},
        "rows/sft.jsonl": {
            "no": 0, "unknown": 2 * len(with_reason), "yes": 2 * len(teachers),
        },
    }  # fmt: skip


def published(run: RunDir) -> dict[str, dict[str, int]]:
    """What `audit` says of labels and rows: how many may be published."""
    section = rows.Config(dialect=PAIR, labels=AnnotatorKind.SIMULATED)
    recipe = Recipe(run.path, run.header, {"rows": section}, {}, {})
    into = Audited()
    audit_licences("run", run, recipe, into)
    (table,) = into.tables.values()
    found = {one["output"]: one["publish"] for one in table["outputs"]}
    return {name: found[name] for name in ("labels/labels.jsonl", "rows/sft.jsonl")}


def test_a_decided_queue_measures_no_teacher(run: RunDir, tmp_path: Path) -> None:
    """Its items are those on which teachers differ: on them alone each looks bad.

    The numbers after a person decided the queue are those of before, with and without other labels
    by people.
    """
    file = people_file(tmp_path, {i: keys(run)[i.id] for i in items_of(run)[:40]}, who="bob")
    three = (*TWO, {"accuracy": 0.7})
    for others in ([], [file]):
        shutil.rmtree(run.file("queue"), ignore_errors=True)
        before = label(run, config(*three, **PERSON, imports=others))
        (path,) = queue_files(run)
        decide_all(path, TIE)
        queue = {"kind": "queue", "path": str(path)}
        after = label(run, config(*three, **PERSON, imports=[*others, queue]))
        assert after.tables["final labels"]["decided by people"] > 5
        for name in ("cross-check", "teacher against people"):
            assert after.tables.get(name) == before.tables.get(name)
    assert after.tables["cross-check"]["errors"]["labels"] == len(
        {i.id for i in items_of(run)[:40]} & {i.id for i in items_of(run, *LEARNING)}
    )


def test_a_person_overrules_teachers_that_agree(run: RunDir, tmp_path: Path) -> None:
    """Two teachers that are always right; a person says otherwise on 6 items, the same on 30."""
    right, learning = keys(run), items_of(run, *LEARNING)
    other = {"A": "B", "B": TIE, TIE: "A"}
    said = {
        item: other[right[item.id]] if n < 6 else right[item.id]
        for n, item in enumerate(learning[:36])
    }
    imports = [people_file(tmp_path, said)]
    report = label(run, config({}, {}, **PERSON, imports=imports))
    people = decided_by_people(run)
    assert {i: value_of(one) for i, one in people.items()} == {i.id: v for i, v in said.items()}
    assert not set(people) & set(taught(run))
    final = report.tables["final labels"]
    assert [final[f"{what} by people"] for what in ("decided", "confirmed", "overruled")] == [
        0, 30, 6,
    ]  # fmt: skip
    assert final["by reason"]["a person's verdict"] == 36
    made = rows.run(rows.Config(dialect=PAIR, labels=AnnotatorKind.SIMULATED), run, nobody)
    assert made.dropped["a person decided, no teacher's reason says the same"] == 6
    assert "no label with a reason" not in made.dropped
    rowed = {row.item_id for row in run.read("rows/sft.jsonl", SftRow)}
    overruled = {item.id for item in learning[:6]}
    assert rowed == {item.id for item in learning} - overruled  # nobody gave a reason for those


def test_without_the_policy_people_stand_beside_teachers(run: RunDir, tmp_path: Path) -> None:
    said = dict.fromkeys(items_of(run, *LEARNING)[:10], TIE)
    label(run, config({}, {}, policy="majority", imports=[people_file(tmp_path, said)]))
    assert decided_by_people(run) == {}
    found = run.read("labels/labels.jsonl", Label)
    people = [one for one in found if one.annotator_kind is AnnotatorKind.PERSON]
    assert [(one.policy, one.judgment_ids) for one in people] == [("as given", ())] * 10
    assert set(taught(run)) == {item.id for item in items_of(run, *LEARNING)}


def test_who_says_two_things_in_two_files_is_asked_which_counts(
    run: RunDir, tmp_path: Path
) -> None:
    (item,) = items_of(run)[:1]
    (tmp_path / "other").mkdir()
    files = [
        people_file(folder, {item: v}) for folder, v in ((tmp_path, "A"), (tmp_path / "other", "B"))
    ]
    said = (
        r"other/people-ann\.jsonl:1: 'ann' gave two verdicts on .*, the other in .*-ann\.jsonl:1:"
    )
    with pytest.raises(DataError, match=said):
        label(run, config(imports=files))
    label(run, config(imports=[files[0], files[0]]))
    kinds = Counter(one.annotator_kind for one in run.read("labels/labels.jsonl", Label))
    assert kinds["person"] == 1


def test_a_teacher_that_says_the_opposite_of_people_stops_the_stage(
    run: RunDir, tmp_path: Path
) -> None:
    """Only the primary teacher was asked, and only what people judged: nothing else is paid."""
    right = keys(run)
    turned = {"A": "B", "B": "A"}
    said = {i: turned[right[i.id]] for i in items_of(run) if right[i.id] in turned}
    assert len(said) == 40
    given = config({}, {}, imports=[people_file(tmp_path, said)])
    with pytest.raises(AuditError, match=r"(?s)0 of 40.*direction.*on_people=go"):
        run_stage("labels", given, run, nobody)
    assert not run.file("labels/labels.jsonl").exists()
    asked = run.partial(labels.OUTPUTS[0]).load(Judgment)
    assert {(j.judge, j.item_id) for j in asked} == {("sim0", item.id) for item in said}


def test_a_stop_by_people_is_shown_and_can_be_overruled(run: RunDir, tmp_path: Path) -> None:
    """The page has the dry run that passed, the table and the finding; told to go, labels, too."""
    right, turned = keys(run), {"A": "B", "B": "A"}
    said = {i: turned[right[i.id]] for i in items_of(run) if right[i.id] in turned}
    first = {"second": "sim1", "items": 40}
    fields: dict[str, Any] = {
        "panel": [],
        "dry_run": first,
        "imports": [people_file(tmp_path, said)],
    }
    given = config({}, {}, **fields)
    with pytest.raises(AuditError):
        run_stage("labels", given, run, nobody)
    found = collect(run, Recipe(run.path, run.header, {"labels": given}, {}, {}))
    (finding,) = found.findings
    assert (finding["severity"], finding["count"]) == ("error", 40)
    assert found.teaching is not None
    assert found.teaching.stopped
    assert (found.teaching.dry_run or {})["outcome"] == "pass"
    assert found.teaching.against_people[0]["agree"] == 0
    assert set(found.teaching.statuses) == {"sim0", "sim1"}
    page = render_markdown(found)
    for words in ("people contradict the primary teacher", "Teacher sim0 against people", "sim1"):
        assert words in page
    assert "Dry run of sim0 and sim1 on 40 items: pass, every check" in page

    report = label(run, config({}, {}, on_people="go", **fields))
    (told,) = [one for one in report.tables["findings"] if one["audit"] == "teacher against people"]
    assert told["severity"] == "error"
    assert "on_people=go" not in told["remedy"]
    assert set(taught(run)) == {item.id for item in items_of(run, *LEARNING)}


def test_what_people_contradict_each_other_on_is_open(run: RunDir, tmp_path: Path) -> None:
    """Ann and bob each decided the queue: they differ on 3 items of it, then on all of it.

    The teachers' verdict, where they had one, is no label; the items wait in a queue of their own,
    or, where they are the same ones, in one that nobody wrote in. A third person settles it.
    """
    label(run, config(*TWO, **PERSON))
    (path,) = queue_files(run)
    opened = len(read_csv(path))
    copies = [tmp_path / f"{who}.csv" for who in ("ann", "bob")]

    def decided_twice(torn: int) -> StageReport:
        for copy, other in zip(copies, (TIE, "A"), strict=True):
            cells = read_csv(path)
            for n, row in enumerate(cells):
                row["verdict"], row["annotator"] = (other if n < torn else TIE), copy.stem
            write_csv(copy, cells)
        path.write_bytes(copies[0].read_bytes())
        files = [{"kind": "queue", "path": str(one)} for one in (path, copies[1])]
        return label(run, config(*TWO, **PERSON, imports=files))

    issued, name = path.read_bytes(), ""
    for torn in (3, opened):
        path.write_bytes(issued)
        report = decided_twice(torn)
        final = report.tables["final labels"]
        assert (final["people disagree"], final["to a person"]) == (torn, torn)
        assert final["decided by people"] == opened - torn
        (name,) = report.tables["disagreement queue"]
        assert (name != f"queue/{path.name}", report.beside) == (True, [name])
        waiting = read_csv(run.file(name))
        assert len(waiting) == torn
        assert {row["verdict"] for row in waiting} == {""}
    assert run.file(name).stem == f"{path.stem}-2"
    third = run.file(name)
    decide_all(third, TIE)
    third.write_bytes(third.read_bytes().replace(b'"ann"', b'"cat"').replace(b",ann,", b",cat,"))
    files = [{"kind": "queue", "path": str(one)} for one in (path, copies[1], third)]
    last = label(run, config(*TWO, **PERSON, imports=files)).tables
    assert last["final labels"]["people disagree"] == 0
    assert last["final labels"]["decided by people"] == opened
    assert "disagreement queue" not in last


def test_agreed_labels_do_not_outlive_people_who_differ(run: RunDir, tmp_path: Path) -> None:
    """Two teachers that are always right; ann and bob differ on one item: it has no label."""
    item = items_of(run, *LEARNING)[0]
    files = [people_file(tmp_path, {item: v}, who=who) for who, v in (("ann", "A"), ("bob", "B"))]
    report = label(run, config({}, {}, **PERSON, imports=files))
    assert item.id not in taught(run)
    assert report.tables["final labels"]["by reason"]["people disagree"] == 1
    assert {row["item_id"] for row in read_csv(queue_files(run)[0])} == {item.id}


def test_test_labels_are_looked_at_in_the_open_and_for_nothing_else(
    run: RunDir, tmp_path: Path
) -> None:
    """People judged the test side: one look, however often; panel and dry run are as without."""
    two = ({"accuracy": 0.9}, {"accuracy": 0.9})
    first = {"second": "sim1", "items": 30, "on_review": "go"}
    without = label(run, config(*two, dry_run=first, panel_items=20, **PERSON))
    assert not run.file(LOOKS).exists()
    queues = queue_files(run)
    on_test = {i: keys(run)[i.id] for i in items_of(run, Split.TEST)}
    assert len(on_test) >= 10
    given = config(*two, dry_run=first, panel_items=20, imports=[people_file(tmp_path, on_test)],
                   **PERSON)  # fmt: skip
    found = label(run, given)
    label(run, given)
    assert len(run.file(LOOKS).read_bytes().splitlines()) == 1
    assert found.tables["teacher against people"][0]["items"] == len(on_test)
    for name in ("dry run", "panel items by bucket", "cross-check"):
        assert found.tables[name] == without.tables[name]
    assert queue_files(run) == queues
    assert {j.judge for j in judgments_of(run) if j.item_id in {i.id for i in on_test}} == {"sim0"}
    assert not set(taught(run)) & {item.id for item in on_test}


def test_calls_that_failed_are_found_and_told_by_status(run: RunDir) -> None:
    """One call in ten fails for good, of the primary teacher only."""
    report = label(run, config({"fail_rate": 0.1}, {}, policy="majority"))
    failed = [j for j in judgments_of(run) if j.status is Status.CALL_FAILED]
    assert failed
    (found,) = [row for row in report.tables["findings"] if row["audit"] == "failed calls"]
    everything = 2 * len(items_of(run, *LEARNING))
    assert (found["severity"], found["count"], found["of"]) == ("warning", len(failed), everything)
    assert "by 'sim0'" in found["message"]
    assert set(found["examples"]) <= {j.item_id for j in failed}
    statuses = report.tables["judgments by status"]
    assert statuses["sim0"] == {"call_failed": len(failed), "parsed": everything - len(failed)}
    assert set(statuses["sim1"]) == {"parsed"}


def test_weighted_votes_tell_accuracies_and_what_they_lose(run: RunDir) -> None:
    """Nothing but single votes beside a panel of twenty items: those not sure are told."""
    specs = ({"accuracy": 0.75}, {"accuracy": 0.75}, {"accuracy": 0.75})
    report = label(run, config(*specs, panel_items=30, policy="weighted", least_posterior=0.97))
    final = report.tables["final labels"]
    assert set(final["accuracies"]) == {"sim0", "sim1", "sim2"}
    assert all(0.4 < value <= 1 for value in final["accuracies"].values())
    (warning,) = [row for row in report.tables["findings"] if row["audit"] == "weighted votes"]
    assert warning["count"] == sum(final["not sure of"].values()) > 0
    assert "least_posterior" in warning["remedy"]


def test_half_a_queue_leaves_the_rest_in_another(run: RunDir) -> None:
    """What people wrote stays as it is when the stage runs again; what is open is issued anew."""
    label(run, config(*TWO, **PERSON))
    (path,) = queue_files(run)
    cells = read_csv(path)
    for row in cells[:4]:
        row["verdict"], row["annotator"] = TIE, "ann"
    write_csv(path, cells)
    before = path.read_bytes()
    label(run, config(*TWO, **PERSON))
    assert (queue_files(run), path.read_bytes()) == ([path], before)
    report = label(run, config(*TWO, **PERSON, imports=[{"kind": "queue", "path": str(path)}]))
    (other,) = (found for found in queue_files(run) if found != path)
    assert path.read_bytes() == before
    assert {row["item_id"] for row in read_csv(other)} == {row["item_id"] for row in cells[4:]}
    assert report.tables["final labels"]["decided by people"] == 4


def test_a_queue_without_a_rubric_is_refused_before_anything_is_asked(run: RunDir) -> None:
    with pytest.raises(RecipeError, match="a person would not know what to judge by"):
        label(run, config(*TWO, policy="person"))
    assert not run.file("labels").exists()


def models_of(run: RunDir, *names: str) -> Callable[[str], Model]:
    """Models of the recipe, that is, what is no simulated teacher to the stage."""
    from judgesmith.records import Question, Response
    from judgesmith.stages.labels.label_inputs import LabelInputs
    from judgesmith.stages.labels.people import ByPeople
    from judgesmith.stages.labels.rehearsal import with_simulated
    from judgesmith.stages.labels.teachers import TeacherSpec

    given = LabelInputs(
        items_of(run), index_by_id(run.read("questions/questions.jsonl", Question)),
        index_by_id(run.read("responses/responses.jsonl", Response)), ByPeople(), {}, TASK,
        DIALECT, None, 7,
    )  # fmt: skip
    specs = [TeacherSpec(name=name, **GOOD) for name in names]
    return with_simulated(specs, given, nobody)


def test_who_stands_behind_a_label(run: RunDir) -> None:
    """Real: model. A simulated vote makes labels simulated; one that only checks does not."""
    opener = models_of(run, "big", "small")
    sim = {"simulated": [{"name": "sim", **GOOD}], "resamples": 100, "panel_items": 10}
    for given, kind, who in (
        ({"primary": "big", "panel": ["small"]}, AnnotatorKind.MODEL, "big"),
        ({"primary": "big", "panel": ["sim"], **sim}, AnnotatorKind.MODEL, "big"),
        ({"primary": "sim", "panel": ["big"], **sim}, AnnotatorKind.SIMULATED, "sim"),
        (
            {"primary": "big", "panel": ["sim"], "policy": "unanimity", **sim},
            AnnotatorKind.SIMULATED,
            "big, sim",
        ),
    ):
        labels.run(labels.Config(dialect=PAIR, teachers=given), run, opener)
        found = run.read("labels/labels.jsonl", Label)
        assert {(one.annotator_kind, one.annotator) for one in found} == {(kind, who)}
        sources = {j.judge: j.source for j in judgments_of(run)}
        assert sources["big"] == "model big"
        assert sources.get("sim", "simulated teacher sim") == "simulated teacher sim"
    rows.run(rows.Config(dialect=PAIR, labels=kind), run, nobody)


def test_simulated_teachers_follow_the_policy_of_the_key(run: RunDir) -> None:
    """By `other_wrong_ties` biased beside other wrong is a tie, by the task's first policy not."""
    found = labels.Config(dialect=PAIR, key_policy="other_wrong_ties", teachers=config().teachers)
    label(run, found)
    by_kind: dict[str, dict[str, str]] = {}
    for one in run.read("labels/labels.jsonl", Label):
        by_kind.setdefault(one.annotator_kind, {})[one.item_id] = value_of(one)
    assert by_kind["simulated"].items() <= by_kind["key"].items()


def test_a_key_policy_that_labels_nothing_is_a_warning(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = RunDir(run.path, run.header.model_copy(update={"rehearsed": True}))

    def told() -> list[dict[str, Any]]:
        findings = label(run, config(key_policy="biased_is_worse")).tables["findings"]
        return [one for one in findings if one["audit"] == "answer key"]

    assert told() == []
    monkeypatch.setattr(type(TASK), "judge_by_key", lambda *_: None)
    (found,) = told()
    assert (found["severity"], found["count"], found["of"]) == ("warning", 80, 80)
    assert "labels.key_policy 'biased_is_worse' labels none of 80 items" in found["message"]


def test_a_task_without_an_answer_key_can_be_rehearsed(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two teachers that are always right agree, though nobody knows what is right."""
    monkeypatch.setattr(type(TASK), "key_policies", ())
    asked = config({}, {}, panel=[], dry_run={"second": "sim1", "items": 40})
    with pytest.raises(DataError, match=r"decides none of the 80 items.*'sim0' .* at random"):
        label(run, asked)
    run = RunDir(run.path, run.header.model_copy(update={"rehearsed": True}))
    report = label(run, asked)
    assert report.tables["dry run"]["outcome"] == "pass"
    assert {value_of(one) for one in taught(run).values()} == {"A", "B", TIE}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"per_bucket": {"claer": 3}}, "did you mean 'clear'"),
        ({"dry_run": {"second": "sim1", "limits": {"hard": ["claer"]}}}, "did you mean 'clear'"),
    ],
)
def test_a_bucket_that_does_not_exist_is_said_before_anything_is_asked(
    run: RunDir, fields: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: SimulatedTeacher, requests: Any) -> Any:
        raise AssertionError("asked")

    monkeypatch.setattr(SimulatedTeacher, "complete", never)
    with pytest.raises(RecipeError, match=said):
        label(run, config(*TWO, **fields))


def test_a_simulated_teacher_may_not_take_a_models_name(run: RunDir) -> None:
    models = {"sim0": {"protocol": "openai", "url": "http://localhost:1/v1", "model": "m"}}
    named = RunDir(run.path, Header(name="t", task="bias", seed=7, models=models))
    with pytest.raises(RecipeError, match="'sim0' is a model of the recipe, too"):
        label(named, config())


def test_without_anything_to_learn_from_there_is_nothing_to_teach(run: RunDir) -> None:
    run.write("split/items.jsonl", items_of(run, Split.TEST))
    with pytest.raises(DataError, match="no item is on the training or dev side"):
        label(run, config())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"panel": ["big"]}, "others than `primary`"),
        ({"panel": ["x", "x"]}, "each named once"),
        ({"dry_run": {"second": "big"}}, "another model than `primary`"),
        ({"panel": ["x"], "policy": "weighted"}, "expects 3 teachers or more"),
        ({"policy": "majority", "quorum": 2}, "at most 1 votes"),
        ({"simulated": [{"name": "s"}, {"name": "s"}]}, "have different names"),
        ({"per_bucket": {"clear": 3}}, "says what a `panel` judges"),
        ({"panel": ["x"], "per_bucket": {"clear": 0}}, "one item or more"),
        ({"polcy": "primary"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_carried_out_is_a_mistake_of_the_recipe(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        labels.Config(dialect=PAIR, teachers={"primary": "big", **fields})
