"""`judgesmith audit` on files: every defect planted in a small file, and what is no defect."""

import gzip
import json
import random
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from judgesmith.cli import main
from judgesmith.errors import JudgesmithError
from judgesmith.pipeline.audit_files import audit_targets
from judgesmith.runs.jsonl import write_json

Row = dict[str, Any]
Audit = Callable[..., "tuple[int, dict[str, Any], str]"]
WORDS = ("river", "window", "garden", "paper", "silver", "number", "market", "winter", "music")


def write(path: Path, rows: Iterable[Row]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def text(seed: int, n: int = 12) -> str:
    """Some words that differ from seed to seed."""
    return " ".join(f"{WORDS[(seed * 7 + i * i) % 9]}{(seed * 31 + i) % 997}" for i in range(n))


def pairs(n: int = 60, **more: Any) -> list[Row]:
    """Labelled pairs in our own columns: as many A as B, responses of one length."""
    return [
        {
            "item": f"i{k}", "question": f"What is said of {text(k, 6)}?", "label": "AB"[k % 2],
            "response_a": text(1000 + k), "response_b": text(2000 + k),
            **{name: value(k) if callable(value) else value for name, value in more.items()},
        }
        for k in range(n)
    ]  # fmt: skip


def judged(n: int = 60, judge: str = "j", wrong: Callable[[int], bool] | None = None) -> list[Row]:
    """One judge in both orders, right except where told."""
    wrong = wrong or (lambda k: k % 5 == 0)
    return [
        {"item": f"i{k}", "judge": judge, "order": order, "verdict": "AB"[(k + wrong(k)) % 2]}
        for k in range(n)
        for order in ("stored", "swapped")
    ]


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line's own entry point, in this process: sixty new ones would take a minute."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["judgesmith", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Done(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def audit(called: Any, tmp_path: Path) -> Audit:
    """Run the command; the exit code, audit.json and what was printed."""

    def run(*arguments: object) -> tuple[int, dict[str, Any], str]:
        done = called("audit", *arguments, "--out", tmp_path / "out")
        assert done.returncode in (0, 1, 3), done.stderr
        raw = (tmp_path / "out" / "audit.json").read_text()
        assert "NaN" not in raw
        found = json.loads(raw)
        assert found["exit_code"] == done.returncode
        assert (tmp_path / "out" / "index.html").stat().st_size > 1_000
        return done.returncode, found, done.stdout

    return run


def named(found: dict[str, Any], audit: str) -> list[Row]:
    return [one for one in found["findings"] if one["audit"] == audit]


def test_a_clean_set_exits_0_and_says_what_was_not_checked(audit: Audit, tmp_path: Path) -> None:
    """Labels in one file and judgments in another are one set."""
    labels = write(tmp_path / "labels.jsonl", pairs())
    judgments = write(tmp_path / "judgments.jsonl", judged())
    code, found, printed = audit(labels, judgments)
    assert (code, found["findings"]) == (0, [])
    assert list(found["sets"]) == ["labels.jsonl, judgments.jsonl"]
    read = found["sets"]["labels.jsonl, judgments.jsonl"]
    assert read == {"rows": 180, "items": 60, "labelled": 60, "annotators": 1, "judges": 1}
    assert "few_items, labels.jsonl, judgments.jsonl" in found["not_checked"]
    assert "name its files with --train" in printed
    assert "0 findings, 0 of them errors, 0 warnings." in printed


def test_one_label_in_a_bucket(audit: Audit, tmp_path: Path) -> None:
    """19 of 20 in one bucket; the example is the other one."""
    rows = pairs(40, bucket=lambda k: "tie" if k < 20 else "other")
    for row in rows[:20]:
        row["label"] = "TIE"
    rows[3]["label"] = "B"
    path = write(tmp_path / "labels.jsonl", rows)
    code, found, printed = audit(path)
    assert code == 3
    (one,) = named(found, "labels")
    assert (one["count"], one["of"], one["examples"]) == (19, 20, [f"{path}:4"])
    assert "the label 'TIE' holds 19 of 20 items (95%)" in printed


def test_labels_that_favour_a_slot(audit: Audit, tmp_path: Path) -> None:
    rows = pairs(40, label=lambda k: "B" if k % 8 == 0 else "A")
    code, found, _ = audit(write(tmp_path / "labels.jsonl", rows))
    assert code == 3
    assert "35 labels name slot 'A' and 5 slot 'B'" in named(found, "labels")[0]["message"]


def test_unparsed_replies_that_inflate_kappa(audit: Audit, tmp_path: Path) -> None:
    """12 of 60 replies cut off, each an item that would have been wrong."""
    rows = judged()
    for row in rows:
        if int(row["item"][1:]) % 5 == 0:
            row["verdict"] = "truncated"
    labels = write(tmp_path / "labels.jsonl", pairs())
    path = write(tmp_path / "judgments.jsonl", rows)
    code, found, _ = audit(labels, path)
    assert code == 3
    stored, swapped = named(found, "unparsed")
    assert stored["message"].startswith("j, stored order: 12 of 60 replies have no verdict")
    assert "truncated 12" in swapped["message"]
    assert stored["examples"][:2] == [f"{path}:1", f"{path}:11"]


def test_one_order_only(audit: Audit, tmp_path: Path) -> None:
    rows = [{**row, "judge": "j", "verdict": row["label"]} for row in pairs()]
    path = write(tmp_path / "both.jsonl", rows)
    code, found, _ = audit(path)
    assert code == 3
    (one,) = named(found, "order")
    assert (one["count"], one["of"]) == (60, 60)
    assert one["examples"][0] == f"{path}:1"


def test_a_difference_that_few_items_carry(audit: Audit, tmp_path: Path) -> None:
    """One gained and three lost of 60, all three in one bucket."""
    buckets = pairs(bucket=lambda k: "late" if k >= 40 else "early")
    labels = write(tmp_path / "labels.jsonl", buckets)
    first = write(tmp_path / "a.jsonl", judged(judge="a", wrong=lambda k: k in (41, 42, 43)))
    second = write(tmp_path / "b.jsonl", judged(judge="b", wrong=lambda k: k == 7))
    code, found, _ = audit(labels, first, second)
    assert code == 3
    claim, slices = named(found, "few_items")
    assert (claim["severity"], claim["count"], claim["of"]) == ("warning", 4, 60)
    assert "1 gained and 3 lost of 60 items" in claim["message"]
    assert "bucket late: 0 gained, 3 lost of 20" in slices["message"]
    assert slices["severity"] == "info"


MAPPING = """
name: mapped
title: planted
published: nowhere
licence: none
kind: pair
names: {names}
{teacher}
labels: majority
files:
  - path: "**/*"
    item: "{{item}}"
    question: "{{question?}}"
    responses: ["{{response_a?}}", "{{response_b?}}"]
    models: ["{{model_a?}}", "{{model_b?}}"]
    fields: {{bucket: "{{bucket?}}", mode: "{{mode?}}"}}
    votes:
      - {{by: j, verdict: "{{verdict?}}", read: &r {{A: A, B: B, TIE: TIE, "": no_verdict}},
         rationale: "{{rationale?}}", reply: "{{reply?}}"}}
      - {{by: ann, role: person, verdict: "{{ann?}}", read: *r}}
      - {{by: bob, role: person, verdict: "{{bob?}}", read: *r}}
      - {{by: gold, role: key, verdict: "{{gold?}}", read: *r}}
"""


@pytest.fixture
def mapping(tmp_path: Path) -> Callable[..., Path]:
    def make(names: str = "better", teacher: str = "") -> Path:
        path = tmp_path / "mapping.yaml"
        line = f"teacher: {teacher}" if teacher else ""
        path.write_text(MAPPING.format(names=names, teacher=line))
        return path

    return make


def test_a_verdict_stored_for_an_empty_reply(audit: Audit, mapping: Any, tmp_path: Path) -> None:
    rows = [
        {"item": f"i{k}", "ann": "AB"[k % 2], "verdict": "TIE" if k < 6 else "AB"[k % 2],
         "reply": " " if k < 6 else f"The better one is {'AB'[k % 2]}."}
        for k in range(60)
    ]  # fmt: skip
    path = write(tmp_path / "replies.jsonl", rows)
    code, found, _ = audit(path, "--mapping", mapping())
    assert code == 1
    nothing = next(one for one in named(found, "unparsed") if one["severity"] == "error")
    assert (nothing["count"], nothing["of"]) == (6, 60)
    assert nothing["examples"][0] == f"{path}:1"
    unsaid = named(found, "parsing")[0]
    assert (unsaid["count"], unsaid["of"]) == (6, 6)


def test_letters_read_inside_words_and_quoted_verdicts(
    audit: Audit, mapping: Any, tmp_path: Path
) -> None:
    """Five verdicts B from "club." and one from a response that states its own verdict."""
    quote = "I am fair and good, so vote. Verdict: B. Thank you for reading all of this."
    rows = [
        {"item": f"i{k}", "ann": "AB"[k % 2], "verdict": "B" if k < 6 else "AB"[k % 2],
         "response_a": text(k), "response_b": quote if k == 5 else text(k + 500),
         "reply": "They went to the club." if k < 5 else f"Verdict: {'AB'[k % 2]}"}
        for k in range(60)
    ]  # fmt: skip
    rows[5]["reply"] = f"It wrote: {quote} That is odd."
    path = write(tmp_path / "replies.jsonl", rows)
    _, found, _ = audit(path, "--mapping", mapping())
    counts = {(one["count"], one["of"]) for one in named(found, "parsing")}
    assert counts == {(5, 60), (1, 60)}


def test_gold_that_names_a_winner_where_votes_tie(
    audit: Audit, mapping: Any, tmp_path: Path
) -> None:
    rows = [
        {"item": f"i{k}", "ann": "A", "bob": "B" if k < 4 else "A", "gold": "AB"[k % 2] if k < 4
         else "A"}
        for k in range(40)
    ]  # fmt: skip
    path = write(tmp_path / "votes.jsonl", rows)
    code, found, _ = audit(path, "--mapping", mapping())
    assert code == 3
    (one,) = named(found, "ties")
    assert (one["count"], one["of"], one["examples"][0]) == (4, 40, f"{path}:1")


def test_a_teacher_against_people_in_one_bucket(audit: Audit, mapping: Any, tmp_path: Path) -> None:
    """In one bucket of 35 the teacher names a response where the person sees a tie 24 times."""
    rows = [
        {"item": f"i{k}", "bucket": "odd" if k < 35 else "even", "verdict": "AB"[k % 2],
         "ann": "TIE" if k < 24 else "AB"[k % 2]}
        for k in range(120)
    ]  # fmt: skip
    path = write(tmp_path / "labels.jsonl", rows)
    code, found, _ = audit(path, "--mapping", mapping("worse", "j"))
    assert code == 1
    (one,) = named(found, "rubric")
    assert (one["severity"], one["count"], one["of"]) == ("error", 24, 35)
    assert one["examples"][0] == f"{path}:1"


def test_generators_families_and_length(audit: Audit, tmp_path: Path) -> None:
    """Every A is a long text by one model; that model is of the judge's own family."""
    rows = [
        {**row, "model_a": "llama-7b", "model_b": "qwen-7b", "judge": "vicuna-13b", "verdict": "A",
         "label": "A" if k % 4 else "B", "response_a": text(k, 30 if k % 4 else 6)}
        for k, row in enumerate(pairs(80))
    ]  # fmt: skip
    code, found, _ = audit(write(tmp_path / "both.jsonl", rows))
    assert code == 3
    assert "both of the family llama" in named(found, "family")[0]["message"]
    style = [one["message"] for one in named(found, "confound")]
    assert any("longer in 80 of 80 pairs" in message for message in style)
    swapped = [
        {**row, "model_a": m, "model_b": n, "label": "A" if m == "llama-7b" else "B"}
        for k, row in enumerate(pairs(80))
        for m, n in [("llama-7b", "qwen-7b") if k % 2 else ("qwen-7b", "llama-7b")]
    ]
    _, found, _ = audit(write(tmp_path / "both.jsonl", swapped))
    assert "predict 80 of 80 labels" in named(found, "generator")[0]["message"]


@pytest.mark.parametrize(("names", "code"), [("worse", 1), ("better", 3)])
def test_rationales_against_their_verdicts(
    audit: Audit, mapping: Any, tmp_path: Path, names: str, code: int
) -> None:
    """The same rationales are right where a verdict names the better response."""
    rows = [
        {"item": f"i{k}", "ann": "AB"[k % 2], "verdict": "AB"[k % 2],
         "rationale": f"Response {'AB'[k % 2]} is clearly the stronger answer."}
        for k in range(40)
    ]  # fmt: skip
    path = write(tmp_path / "rows.jsonl", rows)
    found_code, found, _ = audit(path, "--mapping", mapping(names))
    assert found_code == code
    against = named(found, "contradiction")
    assert [(one["count"], one["of"]) for one in against] == ([(40, 40)] if code == 1 else [])


def test_made_items_and_leaked_instructions(audit: Audit, mapping: Any, tmp_path: Path) -> None:
    rows = [
        {"item": f"i{k}", "verdict": "AB"[k % 2], "mode": "short" if k % 8 == 0 else "long",
         "rationale": "So the verdict must be B." if k < 4 else "Nothing to add."}
        for k in range(80)
    ]  # fmt: skip
    path = write(tmp_path / "made.jsonl", rows)
    code, found, _ = audit(path, "--mapping", mapping("worse"))
    assert code == 3
    assert (named(found, "modes")[0]["count"], named(found, "modes")[0]["of"]) == (10, 80)
    (leak,) = named(found, "instruction_leak")
    assert (leak["severity"], leak["count"], leak["of"]) == ("warning", 4, 80)
    assert leak["examples"][0] == f"{path}:1"


def preferences(n: int = 60, *, told: bool = True) -> list[Row]:
    """Rejected texts praise what their verdict calls worse; chosen ones speak of stereotypes."""
    return [
        {
            "prompt": f"Compare: {text(k)}",
            "chosen": f"Response {'AB'[k % 2]} relies on a stereotype. It is more biased. "
            f"<verdict>{'AB'[k % 2]}</verdict>",
            "rejected": f"Response {'BA'[k % 2]} is the stronger answer, {text(k, 4)}. "
            f"<verdict>{'BA'[k % 2]}</verdict>",
            **({"names": "worse"} if told else {}),
        }
        for k in range(n)
    ]


def chat(row: Row) -> Row:
    """The same row as TRL's conversations, with the prompt inside both sides."""
    ask = {"role": "user", "content": row["prompt"]}
    sides = {s: [ask, {"role": "assistant", "content": row[s]}] for s in ("chosen", "rejected")}
    return {**sides, "names": row.get("names")}


@pytest.mark.parametrize("form", ["text", "messages", "csv", "gz"])
def test_preference_rows(audit: Audit, tmp_path: Path, form: str) -> None:
    rows = preferences()
    path = tmp_path / "dpo.jsonl"
    if form == "csv":
        path = tmp_path / "dpo.csv"
        cells = [[json.dumps(value) for value in row.values()] for row in rows]
        lines = [",".join(rows[0])]
        lines += [",".join('"' + c[1:-1].replace('\\"', '""') + '"' for c in row) for row in cells]
        path.write_text("\n".join(lines) + "\n")
    else:
        write(path, map(chat, rows) if form == "messages" else rows)
    if form == "gz":
        packed = path.with_name("dpo.jsonl.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        path = packed
    code, found, printed = audit(path)
    assert code == 1
    (keyword,) = named(found, "separability")
    assert keyword["severity"] == "error"
    (inverted,) = named(found, "inversion")
    assert (inverted["severity"], inverted["count"], inverted["of"]) == ("error", 60, 60)
    assert inverted["examples"][0] == f"{path}:{2 if form == 'csv' else 1}"
    assert named(found, "contradiction") == []
    assert "training rows 60" in printed


def test_preference_rows_that_do_not_say_what_a_verdict_names(audit: Audit, tmp_path: Path) -> None:
    path = write(tmp_path / "dpo.jsonl", preferences(told=False))
    _, found, _ = audit(path)
    assert "--names" in found["not_checked"]["inversion, dpo.jsonl"]
    assert named(found, "inversion") == []
    _, found, _ = audit(path, "--names", "worse")
    assert named(found, "inversion")[0]["count"] == 60
    _, found, _ = audit(path, "--names", "better")
    assert named(found, "inversion") == []
    assert named(found, "contradiction")[0]["count"] == 60


def prompted(row: Row, form: str) -> Row:
    prompt = f"Question: {row['question']}\nA: {row['response_a']}\nB: {row['response_b']}\nWhich?"
    if form == "completion":
        return {"prompt": prompt, "completion": "A is better."}
    if form == "messages":
        turns = [("user", prompt), ("assistant", "A is better.")]
        return {"messages": [{"role": role, "content": said} for role, said in turns]}
    return {**row, "item": "t" + row["item"]}


@pytest.mark.parametrize("form", ["items", "completion", "messages"])
def test_training_shares_questions_and_responses(audit: Audit, tmp_path: Path, form: str) -> None:
    """25 of 60 evaluation items are in training, ten of them with one response only."""
    rows = pairs(60)
    shared = [dict(row) for row in rows[:25]]
    for row in shared[:10]:
        row["response_a"] = text(7000 + int(row["item"][1:]))
    evaluation = write(tmp_path / "eval.jsonl", rows)
    other = [{**row, "question": f"Else {row['question'][::-1]}"} for row in pairs(90)[70:]]
    for row in other:
        row["response_a"], row["response_b"] = row["response_a"][::-1], row["response_b"][::-1]
    train = write(tmp_path / "train.jsonl", [prompted(row, form) for row in [*shared, *other]])
    code, found, printed = audit(evaluation, "--train", train)
    assert code == 1
    leaks = {one["message"].split("evaluation items ")[1]: one for one in named(found, "leak")}
    counts = {what[:30]: (one["count"], one["of"]) for what, one in leaks.items()}
    assert counts == {
        "share their question with trai": (25, 60),
        "hold a response text that trai": (25, 60),
        "hold only response texts that ": (15, 60),
    }
    assert leaks["share their question with training"]["examples"][0].startswith(f"{evaluation}:")
    read = "items 45" if form == "items" else "training rows 45"
    assert f"training side, train.jsonl: {read}" in printed


def test_ids_that_two_files_use_for_other_questions_are_no_leak(
    audit: Audit, tmp_path: Path
) -> None:
    evaluation = write(tmp_path / "eval.jsonl", pairs())
    rows = [
        {**row, "question": row["question"][::-1], "response_a": text(k + 4000),
         "response_b": text(k + 5000)}
        for k, row in enumerate(pairs())
    ]  # fmt: skip
    code, found, _ = audit(evaluation, "--train", write(tmp_path / "train.jsonl", rows))
    assert (code, found["findings"]) == (0, [])


def test_two_sets_with_common_questions(audit: Audit, tmp_path: Path) -> None:
    """20 questions the same, and one near another; the sets stay two."""
    first = pairs()
    second = [{**row, "item": f"x{k}", "response_a": text(k + 4000), "response_b": text(k + 5000)}
              for k, row in enumerate(pairs(100)[40:])]  # fmt: skip
    code, found, printed = audit(
        write(tmp_path / "first.jsonl", first), write(tmp_path / "second.jsonl", second)
    )
    assert code == 3
    (one,) = named(found, "across")
    assert "questions of first.jsonl (60 texts) and questions of second.jsonl" in one["message"]
    assert "20 are the same" in one["message"]
    assert "Read second.jsonl: rows 60" in printed


def test_files_of_one_name_are_all_read(audit: Audit, tmp_path: Path) -> None:
    """Two training files called the same; what evaluation shares stands in the first."""
    places = [tmp_path / name for name in ("one", "two")]
    for place in places:
        place.mkdir()
    shared = [prompted(row, "items") for row in pairs(9)]
    other = [{**row, "question": row["question"][::-1]} for row in pairs(90)[70:]]
    first, second = (
        write(place / "train.jsonl", rows)
        for place, rows in zip(places, (shared, other), strict=True)
    )
    evaluation = write(tmp_path / "train.jsonl", pairs())
    code, found, _ = audit(evaluation, "--train", first, "--train", second)
    assert code == 1
    assert (named(found, "leak")[0]["count"], named(found, "leak")[0]["of"]) == (9, 60)
    assert "training side, train.jsonl (2)" in found["sets"]


def test_two_readings_of_one_set_stay_apart(audit: Audit, tmp_path: Path) -> None:
    """The same items labelled twice and differently: no error, but it is said."""
    first = write(tmp_path / "first.jsonl", pairs())
    again = [{**row, "label": "BA"[k % 2]} for k, row in enumerate(pairs())]
    code, found, _ = audit(first, write(tmp_path / "second.jsonl", again))
    assert code == 3
    assert "another label" in found["not_checked"]["first.jsonl, second.jsonl as one set"]
    assert {one["count"] for one in named(found, "across")} == {60, 120}


def test_dialects_of_training_and_evaluation(audit: Audit, tmp_path: Path) -> None:
    train = write(tmp_path / "sft.jsonl", [
        {"prompt": text(k), "completion": "A", "dialect": "d1"} for k in range(5)
    ])  # fmt: skip
    evaluation = write(tmp_path / "eval.jsonl", [{**row, "dialect": "d2"} for row in pairs()])
    code, found, _ = audit(evaluation, "--train", train)
    assert code == 1
    (one,) = named(found, "dialects")
    assert one["message"] == "eval.jsonl uses dialect d2 where training uses d1"
    same = write(tmp_path / "eval.jsonl", [{**row, "dialect": "d1"} for row in pairs()])
    code, found, _ = audit(same, "--train", train)
    assert (code, named(found, "dialects")) == (0, [])


def test_a_run_its_test_items_and_its_training_rows(audit: Audit, tiny_run: Path) -> None:
    """The findings of its stages, those of its judgments, and no leak into its own training."""
    code, found, printed = audit(tiny_run, "--train", tiny_run)
    stages = [f for f in found["findings"] if "hold a hedge phrase" in f["message"]]
    assert stages
    assert code == (1 if any(f["severity"] == "error" for f in found["findings"]) else 3)
    judged_items = found["sets"]["tiny"]
    assert judged_items["items"] == judged_items["labelled"] > 0
    assert {f["severity"] for f in named(found, "leak")} <= {"info"}
    assert (
        found["tables"]["leak"]["n_train"]
        == found["sets"][f"training side, {tiny_run.name}"]["training rows"]
    )
    assert "dialects (dialect)" in found["tables"]
    assert named(found, "dialects") == []
    assert "Supply" in printed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "found none"),
        ('{"item": "a", "label": "A"}\n{"item": "b", "label"\n', "bad.jsonl:2"),
        ('{"item": "a", "label": NaN}\n', "bad.jsonl:1"),
        ('{"item": "a", "label": "Q"}\n', "'Q'"),
        ('{"chosen": 3, "rejected": "x"}\n', "bad.jsonl:1, chosen"),
        ('{"chosen": "x", "rejected": "y"}\n{"chosen": "x"}\n', "rejected is missing"),
        ('{"chosen": null, "rejected": null}\n', "found none in either"),
        ('{"chosen": "x", "rejected": "y", "names": "best"}\n', "column names"),
    ],
)
def test_a_file_that_cannot_be_read(called: Any, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(content)
    done = called("audit", path)
    assert done.returncode == 2, done.stdout
    assert said in done.stderr


def test_options_that_are_wrong(called: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "labels.jsonl", pairs(4))
    for arguments, said in (
        ((tmp_path / "absent.jsonl",), "absent.jsonl"),
        ((path, "--train", tmp_path / "absent.jsonl"), "absent.jsonl"),
        ((path, "--names", "best"), "expected better or worse"),
        ((path, "--out", path), "found a file"),
        ((path, "--mapping", tmp_path / "absent.yaml"), "absent.yaml"),
        (("pandalm", "--data", tmp_path / "absent"), "--data FOLDER"),
    ):
        done = called("audit", *arguments)
        assert done.returncode == 2, (arguments, done.stdout)
        assert said in done.stderr, (arguments, done.stderr)


def test_a_truncated_gzip(command: Any, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl.gz"
    path.write_bytes(gzip.compress(write(tmp_path / "l.jsonl", pairs()).read_bytes())[:-200])
    done = command("audit", path)
    assert done.returncode == 2
    assert "labels.jsonl.gz" in done.stderr


def mutated(rows: list[Row], rng: random.Random) -> bytes:
    """A copy with three fields or rows lost, doubled, renamed or filled with something else."""
    rows = [dict(row) for row in rows]
    odd = [3, 2.5, True, [], {}, "", "\x00", "A" * 5_000, [{"content": 1}], [["x"]], None]
    for _ in range(3):
        row = rng.choice([row for row in rows if row])
        name = rng.choice(list(row))
        rng.choice(
            [
                lambda row=row, name=name: row.pop(name),
                lambda row=row, name=name: row.update({name: rng.choice(odd)}),
                lambda row=row, name=name: row.update({f"{name}x": row.pop(name)}),
                lambda row=row: rows.append(dict(row)),
                lambda row=row, name=name: row.update({name: rng.choice(rows).get(name)}),
            ]
        )()
    raw = bytearray("".join(json.dumps(row) + "\n" for row in rows).encode())
    if rng.random() < 0.3:
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    return bytes(raw[: rng.randrange(len(raw))] if rng.random() < 0.1 else raw)


def test_mutated_files_give_an_answer_or_one_message(tmp_path: Path) -> None:
    """200 copies of four kinds of file; anything but a JudgesmithError is a bug of ours."""
    kinds = [
        pairs(20) + judged(20), preferences(20), [chat(row) for row in preferences(20)],
        [prompted(row, "messages") for row in pairs(20)],
    ]  # fmt: skip
    refused = 0
    for seed in range(200):
        path, train = tmp_path / "given.jsonl", write(tmp_path / "train.jsonl", kinds[seed % 3])
        path.write_bytes(mutated(kinds[seed % 4], random.Random(seed)))
        try:
            found = audit_targets([str(path)], train=[str(train)] if seed % 2 else [])
            write_json(tmp_path / "audit.json", found.to_dict())
        except JudgesmithError:
            refused += 1
    assert 20 < refused < 180
