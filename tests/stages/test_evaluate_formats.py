"""The evaluate stage on scripted students: scores, two scores, several formats, a merge."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from judgesmith.backends.origin import Origin, ReplyTokens, write_origin
from judgesmith.errors import DataError
from judgesmith.inference.students import check_dialect
from judgesmith.models.protocol import Model
from judgesmith.records import AnnotatorKind, Judgment, Kind, Label, Split
from judgesmith.report.results import Evaluation
from judgesmith.runs.layout import RunDir
from judgesmith.stages import evaluate, gate
from judgesmith.stages.evaluate.asking import check_students, token_budget
from judgesmith.stages.evaluate.labelled_side import NobodyLabelled, read_labelled_side
from judgesmith.tasks import load_dialect, task_of

from .scripted_run import (
    ABSOLUTE,
    RELATIVE,
    TWO,
    Scripted,
    item,
    label,
    pairs_and_singles,
    question,
    response,
    truth,
    write_run,
)

FEW: dict[str, Any] = {"resamples": 100, "slice_resamples": 100, "examples": 4}


def off_by_one(text: str) -> float:
    """One too high on every third response."""
    return truth(text) + (int(text.split()[-3]) % 3 == 0)


def reversed_worth(text: str) -> float:
    return 6 - truth(text)


def opener(*students: Scripted) -> Callable[[str], Model]:
    by_name = {student.name: student for student in students}
    return lambda name: by_name[name]


def measured(run_dir: RunDir, config: Any, *students: Scripted) -> Evaluation:
    evaluate.run(evaluate.Config(**config, **FEW), run_dir, opener(*students))
    return gate.read_results(run_dir)


def both_formats(path: Path) -> RunDir:
    return write_run(path, pairs_and_singles(), {"rel": RELATIVE, "abs": ABSOLUTE})


def test_scores_of_single_responses(tmp_path: Path) -> None:
    """Singles 1000 to 1039 are worth n % 5 + 1; where 3 divides the number one more, at most 5."""
    run_dir = both_formats(tmp_path)
    student = Scripted("student", off_by_one)
    found = measured(run_dir, {"dialect": "abs", "students": ("student",)}, student)
    assert (found.form, found.judges, found.dialect) == ("scores", (), "abs")
    assert found.labels_title == "labels: answer key (p), not people; n = 40"
    wrong = sum((1000 + n) % 3 == 0 and n % 5 + 1 < 5 for n in range(40))
    (judge, *rules) = found.scored
    part = judge.slices["in_domain"]
    assert (judge.role, part.exact.n) == ("student", 40)
    assert part.exact.value == pytest.approx(1 - wrong / 40)
    assert part.mean_error.value == pytest.approx(wrong / 40)
    assert part.within_one.value == 1.0
    assert part.coverage.value == 1.0
    assert student.asked == 40
    by_name = {rule.name: rule for rule in rules}
    assert list(by_name) == ["longer response", "random", "mean", "constant"]
    assert by_name["constant"].note == "always 4, the most common training label"
    assert by_name["mean"].note.startswith("always 3.20")
    assert by_name["constant"].slices["in_domain"].exact.value == pytest.approx(8 / 40)
    assert by_name["constant"].slices["in_domain"].weighted_kappa.value == 0.0
    assert {info.name for info in found.slices} == {
        "in_domain", "bucket:even", "bucket:odd", "category:none",
    }  # fmt: skip
    assert {(one.b, one.metric) for one in found.comparisons} == {
        ("random", "weighted kappa"), ("constant", "weighted kappa"),
    }  # fmt: skip
    assert all(one.conclusion == "student is better" for one in found.comparisons)


def test_examples_of_scores_show_the_one_response(tmp_path: Path) -> None:
    found = measured(
        both_formats(tmp_path), {"dialect": "abs", "students": ("student",)},
        Scripted("student", off_by_one),
    )  # fmt: skip
    assert [one.right for one in found.examples] == [False, False, True, True]
    for one in found.examples:
        assert len(one.responses) == len(one.generators) == 1
        assert float(one.label) == truth(one.responses[0])


def test_two_scores_in_one_reply_are_a_verdict(tmp_path: Path) -> None:
    """Every pair is worth what its texts say; the student follows them, so all is right.

    Labels by a teacher are two scores, with equal ones as a tie: on ten pairs of equals.
    """
    records = pairs_and_singles(singles=0)
    pairs = [one for one in records["split/items.jsonl"] if one.kind is Kind.PAIR]
    texts = {one.id: one.text for one in records["responses/responses.jsonl"]}
    for n in range(10):
        asked = question(5000 + n)
        shown = [response(asked, f"m{i}", f"{'so ' * i}answer {n} worth 3") for i in (0, 1)]
        pairs.append(item(Kind.PAIR, *shown, split=Split.TEST))
        records["questions/questions.jsonl"].append(asked)
        records["responses/responses.jsonl"] += shown
        records["split/items.jsonl"].append(pairs[-1])
        texts |= {one.id: one.text for one in shown}
    records["labels/labels.jsonl"] = [
        label(one, tuple(2 * truth(texts[r]) for r in one.response_ids), AnnotatorKind.MODEL)
        for one in pairs
    ]
    run_dir = write_run(tmp_path, records, {"two": TWO})
    config = {"dialect": "two", "students": ("student", "other"), "labels": "model"}
    found = measured(
        run_dir, config, Scripted("student", truth), Scripted("other", reversed_worth)
    )  # fmt: skip
    assert found.labels_kind == "another judge"
    assert found.labels_title == "labels: another judge (a), not people; n = 50"
    student, other = found.judges[:2]
    assert student.slices["in_domain"].kappa.value == 1.0
    assert found.slices[0].label_counts["TIE"] == 10
    terms = student.slices["in_domain"].judgelm
    assert terms is not None
    assert (terms.f1.value, terms.consistency.value, terms.delta.value) == (1.0, 1.0, 0.0)
    wrong = other.slices["in_domain"]
    assert wrong.accuracy.value == pytest.approx(10 / 50)
    assert found.judges[-1].slices["in_domain"].judgelm is None
    assert {judge.name for judge in found.judges} >= {"longer response", "constant", "random"}


MERGE = {"specialists": {"rel": "pairwise", "abs": "absolute"}, "joint": "joint"}


def formats(run_dir: RunDir, **more: Any) -> tuple[Evaluation, dict[str, Scripted]]:
    students = [
        Scripted("merged", off_by_one, probabilities=True),
        Scripted("pairwise", truth, broken=lambda prompt: not prompt.startswith("A: ")),
        Scripted("absolute", truth, probabilities=True),
        Scripted("joint", off_by_one),
    ]  # fmt: skip
    config = {
        "dialect": "rel", "students": ("merged", "pairwise", "joint"),
        "also": [{"dialect": "abs", "students": ("merged", "absolute", "joint", "pairwise")}],
        "merge": MERGE, **more,
    }  # fmt: skip
    return measured(run_dir, config, *students), {one.name: one for one in students}


def test_two_formats_in_one_run(tmp_path: Path) -> None:
    """40 pairs in both orders, 40 singles, and 80 responses of pairs alone by those in both."""
    run_dir = both_formats(tmp_path)
    found, students = formats(run_dir)
    assert {name: one.asked for name, one in students.items()} == {
        "merged": 200, "pairwise": 200, "absolute": 40, "joint": 200,
    }  # fmt: skip
    (scores,) = found.also
    assert (found.form, scores.form) == ("pairs", "scores")
    assert [judge.name for judge in scores.scored][:4] == [
        "merged", "absolute", "joint", "pairwise",
    ]  # fmt: skip
    written = run_dir.read("evaluate/judgments.jsonl", Judgment)
    assert len({one.id for one in written}) == len(written) == 3 * 80 + 4 * 40 + 3 * 40
    assert not list(run_dir.file("evaluate").glob("*.partial"))


def test_a_format_that_a_student_cannot_write_is_seen(tmp_path: Path) -> None:
    """The pairwise specialist's replies on single responses are cut off: none can be read."""
    found, _ = formats(both_formats(tmp_path))
    replies = {(row.judge, row.slice): row for row in found.also[0].replies}
    broken = replies["pairwise", "in_domain"]
    assert (broken.parsed.value, broken.truncated.value) == (0.0, 1.0)
    assert broken.statuses == {"truncated": 40}
    assert replies["merged", "in_domain"].parsed.value == 1.0
    assert {slice for _, slice in replies} == {"in_domain", "bucket:even", "bucket:odd"}
    (in_pairs,) = [row for row in found.replies if row.judge == "pairwise"][:1]
    assert (in_pairs.parsed.value, in_pairs.parsed.n) == (1.0, 80)


def test_consistency_between_formats(tmp_path: Path) -> None:
    """Worth is stated in both formats alike, so stated scores and verdicts never reverse."""
    found, _ = formats(both_formats(tmp_path))
    (table,) = found.consistency
    assert (table.pair_dialect, table.score_dialect, table.pairs) == ("rel", "abs", 40)
    rows = {(row.judge, row.scores, row.against): row for row in table.rows}
    own = rows["merged", "stated", "its own verdict"]
    assert own.reversals is not None
    assert own.reversals.value == 0.0
    assert ("merged", "expected", "the label") in rows
    assert ("joint", "expected", "the label") not in rows
    assert not any(row.judge == "pairwise" for row in table.rows)
    assert rows["merged", "stated", "the label"].conflicts is None


def test_what_the_merge_keeps(tmp_path: Path) -> None:
    found, _ = formats(both_formats(tmp_path))
    assert [(row.dialect, row.metric) for row in found.kept] == [
        ("rel", "kappa"), ("rel", "accuracy"),
        ("abs", "weighted kappa"), ("abs", "exact"), ("abs", "pearson"),
    ]  # fmt: skip
    rel, scores = found.kept[0], found.kept[2]
    merged = found.judges[0].slices["in_domain"].kappa.value
    assert rel.share.value == merged  # the specialist is always right
    assert rel.merged.value == merged
    assert scores.specialist.value == 1.0
    assert scores.joint is not None
    assert scores.joint_share == scores.share.model_copy()


def test_pairs_are_left_unscored_where_nobody_asks(tmp_path: Path) -> None:
    also = [{"dialect": "abs", "students": ("merged", "absolute", "joint"), "pairs": False}]
    found, students = formats(both_formats(tmp_path), also=also)
    assert found.consistency == ()
    assert students["merged"].asked == 120


def test_a_second_run_asks_nothing_that_a_kill_left_behind(tmp_path: Path) -> None:
    run_dir = both_formats(tmp_path)

    class Dying(Scripted):
        def complete(self, requests: Any) -> Any:
            for completion in super().complete(requests):
                if self.asked > 100:
                    raise KeyboardInterrupt
                yield completion

    config = {
        "dialect": "rel", "students": ("student",), "also": [{"dialect": "abs"}], **FEW,
    }  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        evaluate.run(evaluate.Config(**config), run_dir, opener(Dying("student", truth)))
    again = Scripted("student", truth)
    again.independent = True  # type: ignore[attr-defined]
    evaluate.run(evaluate.Config(**config), run_dir, opener(again))
    assert again.asked == 200 - 100
    assert not list(run_dir.file("evaluate").glob("*.partial"))


def test_further_labels_are_measured_where_they_are_and_noted_where_not(tmp_path: Path) -> None:
    """The same judgments against people too: 24 of the pairs have a person's verdict."""
    records = pairs_and_singles()
    pairs = [one for one in records["split/items.jsonl"] if one.kind is Kind.PAIR][:24]
    records["labels/labels.jsonl"] += [
        label(one, "A" if n % 2 else "B", AnnotatorKind.PERSON, by="ann")
        for n, one in enumerate(pairs)
    ]
    run_dir = write_run(tmp_path, records, {"rel": RELATIVE, "abs": ABSOLUTE})
    student = Scripted("student", truth)
    also = [{"dialect": "rel", "labels": "person"}, {"dialect": "abs", "labels": "person"}]
    config = {"dialect": "rel", "students": ("student",), "also": also}
    found = measured(run_dir, config, student)
    assert student.asked == 80
    assert [one.labels_kind for one in found.also] == ["people"]
    assert found.also[0].labels_title == "labels: 24 verdicts by one person (ann)"
    assert list(found.missing) == ["abs, labels of kind person"]
    assert "of kind 'person'" in found.missing["abs, labels of kind person"]


def test_of_three_people_the_majority_counts(tmp_path: Path) -> None:
    """24 pairs: ann says A, ben says B, cem says A of the first 12 and TIE of the rest.

    So the first 12 have the label A, and the others none. Each of the three voted.
    """
    records = pairs_and_singles()
    pairs = [one for one in records["split/items.jsonl"] if one.kind is Kind.PAIR][:24]
    for n, one in enumerate(pairs):
        said = {"ann": "A", "ben": "B", "cem": "A" if n < 12 else "TIE"}
        records["labels/labels.jsonl"] += [
            label(one, verdict, AnnotatorKind.PERSON, by=name) for name, verdict in said.items()
        ]
    run_dir = write_run(tmp_path, records, {"rel": RELATIVE, "abs": ABSOLUTE})
    dialect = load_dialect(task_of(run_dir.header), "rel")
    side = read_labelled_side(run_dir, AnnotatorKind.PERSON, dialect)
    assert side.labels == {one.id: "A" for one in pairs[:12]}
    assert [item.id for item in side.items] == [one.id for one in pairs[:12]]
    assert side.title == "labels: 12 verdicts by majority of ann, ben, cem; no majority on 12"
    config = {"dialect": "rel", "students": ("student",), "labels": "person"}
    found = measured(run_dir, config, Scripted("student", truth))
    notes = {one.name: one.note for one in found.judges if one.role == "person"}
    assert notes == {f"person {name}": "voted for these labels" for name in ("ann", "ben", "cem")}


def test_without_labels_of_the_main_kind_nothing_is_asked(tmp_path: Path) -> None:
    student = Scripted("student", truth)
    with pytest.raises(NobodyLabelled, match="none of the 40 test items of dialect 'rel'"):
        measured(
            both_formats(tmp_path),
            {"dialect": "rel", "students": ("student",), "labels": "person"}, student,
        )  # fmt: skip
    assert student.asked == 0


def test_responses_of_pairs_that_are_scored_alone_count_once_each(tmp_path: Path) -> None:
    """Three pairs of four responses, labelled with letters and with a score for each response."""
    asked = question(1)
    shown = [response(asked, f"m{n}", f"answer {n} worth {n + 1}") for n in range(4)]
    pairs = [item(Kind.PAIR, shown[n], shown[n + 1], split=Split.TEST) for n in range(3)]
    labels: list[Label] = [label(one, "B") for one in pairs]
    labels += [label(one, (n + 1, n + 2), policy="p, scored alone") for n, one in enumerate(pairs)]
    records = {
        "questions/questions.jsonl": [asked], "responses/responses.jsonl": shown,
        "split/items.jsonl": pairs, "labels/labels.jsonl": labels,
    }  # fmt: skip
    run_dir = write_run(tmp_path, records, {"rel": RELATIVE, "abs": ABSOLUTE})
    student = Scripted("student", truth)
    config = {
        "dialect": "rel", "students": ("student",), "also": [{"dialect": "abs"}], "least": 2,
    }  # fmt: skip
    found = measured(run_dir, config, student)
    assert found.judges[0].slices["in_domain"].accuracy.n == 3
    assert found.also[0].scored[0].slices["in_domain"].exact.n == 4
    assert found.also[0].labels_title == ("labels: answer key (p, scored alone), not people; n = 4")
    assert student.asked == 6 + 6  # both orders; each response of each pair, once for both uses
    assert found.consistency[0].rows[0].consistent.value == 1.0


def origin(run_dir: RunDir, student: str, dialects: dict[str, str], p99: int | None = None) -> None:
    folder = run_dir.file(f"sft/{student}")
    folder.mkdir(parents=True, exist_ok=True)
    tokens = None if p99 is None else ReplyTokens(p50=10, p99=p99, max=p99)
    write_origin(
        folder, Origin(dialects=dialects, base="b", base_hash=None, reply_tokens=tokens)
    )  # fmt: skip


def test_the_token_budget_comes_from_the_students_own_replies(tmp_path: Path) -> None:
    """A quarter over the longest p99, and 16 more: 1.25 * 100 + 16 = 141."""
    run_dir = both_formats(tmp_path)
    config = evaluate.Config(dialect="rel", students=("student", "pairwise"), reply_tokens=None)
    part = config.parts[0]
    with pytest.raises(DataError, match=r"evaluate\.reply_tokens: expected a number"):
        token_budget(part, run_dir)
    origin(run_dir, "student", {}, p99=100)
    origin(run_dir, "pairwise/student", {}, p99=40)
    assert token_budget(part, run_dir) == 141
    assert token_budget(evaluate.Config(dialect="rel", reply_tokens=7).parts[0], run_dir) == 7


@pytest.mark.parametrize(("cut", "warned"), [(20, []), (21, ["cut replies"])])
def test_most_replies_cut_off_are_a_warning_that_names_the_budget(
    tmp_path: Path, cut: int, warned: list[str]
) -> None:
    """Of 40 scores of single responses, 20 are half and 21 are most."""
    records = pairs_and_singles(pairs=0)
    run_dir = write_run(tmp_path, records, {"abs": ABSOLUTE})
    origin(run_dir, "student", {}, p99=100)
    shown = [one.text for one in records["responses/responses.jsonl"][:cut]]
    student = Scripted("student", truth, broken=lambda prompt: prompt in shown)
    config = evaluate.Config(dialect="abs", students=("student",), reply_tokens=7, **FEW)
    report = evaluate.run(config, run_dir, opener(student))
    found = report.tables.get("findings", [])
    assert [one["audit"] for one in found] == warned
    if warned:
        assert found[0]["message"] == (
            "student: 21 of 40 replies in abs were cut off at 7 tokens (evaluate.reply_tokens); of "
            "its training replies half have up to 10 tokens, 99% up to 100"
        )


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("person", r"in any dialect: key \(80\)\. Import verdicts by people"),
        ("simulated", r"in any dialect: key \(80\)\. Label with simulated teachers"),
    ],
)
def test_without_labels_the_kinds_that_there_are_are_told(
    tmp_path: Path, kind: str, said: str
) -> None:
    dialect = load_dialect(task_of((run_dir := both_formats(tmp_path)).header), "rel")
    with pytest.raises(NobodyLabelled, match=said) as refused:
        read_labelled_side(run_dir, AnnotatorKind(kind), dialect)
    assert "key_policy" not in str(refused.value)


def test_a_dialect_that_has_changed_since_training_is_refused(tmp_path: Path) -> None:
    run_dir = both_formats(tmp_path)
    task = task_of(run_dir.header)
    rel, alone = load_dialect(task, "rel"), load_dialect(task, "abs")
    part = evaluate.Config(dialect="rel", students=("student", "pairwise")).parts[0]
    origin(run_dir, "student", {"rel": rel.hash})
    check_students(run_dir, part, rel, deciding=True)
    check_students(run_dir, part, alone, deciding=False)  # asked for, in another format
    with pytest.raises(DataError, match="student 'student' was trained in dialect 'rel'"):
        check_students(run_dir, part, alone, deciding=True)
    origin(run_dir, "student", {"abs": "0123456789abcdef"})
    with pytest.raises(DataError, match="'abs' is now"):
        check_students(run_dir, part, alone, deciding=False)


def test_a_student_before_training_may_come_from_another_run(tmp_path: Path) -> None:
    """Its folder holds no more than a path; what lies there says in which dialect it was trained.

    Asked in a dialect of that name that has changed, it would look as if training had helped.
    """
    run_dir = both_formats(tmp_path / "run")
    rel = load_dialect(task_of(run_dir.header), "rel")
    other, before = tmp_path / "other", run_dir.file("sft/before")
    for folder in (other, before):
        folder.mkdir(parents=True)
    (before / "path.txt").write_text(f"{other}\n")
    part = evaluate.Config(dialect="rel").parts[0]
    tokens = ReplyTokens(p50=10, p99=100, max=100)
    write_origin(
        other, Origin(dialects={"rel": rel.hash}, base="b", base_hash=None, reply_tokens=tokens)
    )  # fmt: skip
    check_students(run_dir, part, rel, deciding=True)
    write_origin(
        other, Origin(dialects={"rel": "0" * 16}, base="b", base_hash=None, reply_tokens=tokens)
    )  # fmt: skip
    with pytest.raises(DataError, match="student 'before training' was trained in dialect 'rel'"):
        check_students(run_dir, part, rel, deciding=True)


def test_a_student_of_another_format_is_noted(tmp_path: Path) -> None:
    run_dir = both_formats(tmp_path)
    rel = load_dialect(task_of(run_dir.header), "rel")
    origin(run_dir, "student", {"rel": rel.hash})
    config = {"dialect": "rel", "students": ("student",), "also": [{"dialect": "abs"}]}
    found = measured(run_dir, config, Scripted("student", truth))
    assert found.judges[0].note == ""
    assert found.also[0].scored[0].note == "trained in other dialects only"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"also": [{"dialect": "rel"}]}, "repeats a dialect"),
        ({"merge": {"specialists": {"abs": "absolute"}}}, r"merge\.specialists\.abs"),
        ({"merge": {"specialists": {}}}, "at least 1"),
        ({"published": [{"judge": "j", "source": "s"}]}, "value"),
        ({"published": [{"judge": "j", "source": "s", "kappa": 1, "value": 1}]}, "either `kappa`"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        evaluate.Config.model_validate({"dialect": "rel", "students": ("merged",), **changes})


def test_published_figures_are_carried_and_never_compared(tmp_path: Path) -> None:
    cited = [
        {"judge": "published", "metric": "exact", "value": 73.0, "source": "card", "note": "in %"},
        {"judge": "older", "kappa": 0.5, "slice": "in_domain", "source": "paper"},
    ]
    config = {"dialect": "abs", "students": ("student",), "published": cited}
    found = measured(both_formats(tmp_path), config, Scripted("student", truth))
    assert [(one.metric, one.value, one.slice) for one in found.published] == [
        ("exact", 73.0, None), ("kappa", 0.5, "in_domain"),
    ]  # fmt: skip
    assert not any("published" in (one.a, one.b) for one in found.comparisons)


def test_a_rehearsal_asks_simulated_labellers() -> None:
    config = evaluate.Config(
        dialect="two", labels="model", also=[{"dialect": "two", "labels": "person"}]
    )  # fmt: skip
    rehearsed = config.rehearsed(None)  # type: ignore[arg-type]
    assert [part.labels.value for part in rehearsed.parts] == ["simulated", "person"]
    assert rehearsed.resamples == 1000


def test_the_folders_of_every_student_are_read() -> None:
    config = evaluate.Config(
        dialect="rel", students=("merged", "pairwise"),
        also=[{"dialect": "abs", "students": ("merged", "absolute")}],
    )  # fmt: skip
    folders = [name for name in evaluate.inputs(config) if "jsonl" not in name]
    assert folders == ["merge/student", "sft/pairwise/student", "sft/absolute/student"]


def test_rows_of_several_dialects_may_hold_the_one_that_is_measured(tmp_path: Path) -> None:
    run_dir = both_formats(tmp_path)
    rel = load_dialect(task_of(run_dir.header), "rel")
    rows = run_dir.file("rows/sft.jsonl")
    rows.parent.mkdir()
    rows.write_text('{"dialect": "other"}\n' + f'{{"dialect": "{rel.hash}"}}\n')
    check_dialect(run_dir, rel)
    rows.write_text('{"dialect": "other"}\n' * 2)
    with pytest.raises(DataError, match=r"since \(other\), not in evaluate\.dialect = 'rel'"):
        check_dialect(run_dir, rel)
    rows.write_text(f'{{"dialect": "{load_dialect(task_of(run_dir.header), "abs").hash}"}}\n')
    with pytest.raises(DataError, match=r"written in 'abs', not in evaluate\.dialect = 'rel'"):
        check_dialect(run_dir, rel)


def test_choices_on_single_responses_have_no_order(tmp_path: Path) -> None:
    """Responses worth 3 and more are good; the student says so, in one reply each."""
    records = pairs_and_singles(pairs=0)
    items = {one.id: one for one in records["split/items.jsonl"]}
    records["labels/labels.jsonl"] = [
        label(items[one.item_id], "good" if one.verdict.values[0] >= 3 else "bad")
        for one in records["labels/labels.jsonl"]
    ]
    classes = {**ABSOLUTE, "scale": ["good", "bad"]}
    run_dir = write_run(tmp_path, records, {"classes": classes})

    class Sorting(Scripted):
        def _reply(self, prompt: str, request: Any) -> tuple[str, None]:
            said = "good" if truth(prompt) >= 3 else "bad"
            return f"<reasoning>So.</reasoning><verdict>{said}</verdict>", None

    student = Sorting("student", truth)
    found = measured(run_dir, {"dialect": "classes", "students": ("student",)}, student)
    assert found.form == "pairs"
    assert (student.asked, found.judges[0].order_proof) == (40, True)
    part = found.judges[0].slices["in_domain"]
    assert (part.kappa.value, part.consistency) == (1.0, None)
    assert [judge.name for judge in found.judges] == ["student", "random", "constant"]


def test_a_dialect_that_is_shown_lists_is_refused(tmp_path: Path) -> None:
    """In one sentence, and not as if nobody had labelled anything."""
    run_dir = both_formats(tmp_path)
    rel = load_dialect(task_of(run_dir.header), "rel")
    listed = rel.model_copy(update={"name": "listed", "kind": Kind.LIST})
    with pytest.raises(DataError, match="'listed' is shown lists of responses, which are not"):
        read_labelled_side(run_dir, AnnotatorKind.KEY, listed)
