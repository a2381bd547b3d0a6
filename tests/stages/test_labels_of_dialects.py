"""Labels of several dialects are told apart, scores stay on their scale, and a torn crowd is none.

Two labels of one item in two dialects once had one id, scores of two scales were compared with each
other, and one contradiction in a crowd's file stopped the run without saying where it stood.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import DataError, RecipeError
from judgesmith.evaluation.learnt import learnt_labels, require_distinct
from judgesmith.judging.dialect import Dialect, Scale
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.taken_over import dialects_told, means_the_same, taken_over
from judgesmith.models.about import SCORED_ALONE
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Direction,
    Finish,
    Item,
    Judgment,
    Kind,
    Label,
    Response,
    Scores,
    Split,
    Status,
    choice,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.sources import ImportedLabel
from judgesmith.sources.simulated import read_questions
from judgesmith.stages import items, labels, questions, responses, rows, split
from judgesmith.stages.labels.by_scores import compose, pairs_by_scores
from judgesmith.stages.labels.imported import TORN, model_labels
from judgesmith.stages.labels.people import person_labels
from judgesmith.tasks.general.key import must_hold

QUESTION = next(iter(read_questions(None)))
TEN = Dialect(
    name="ten", kind="single", user="{{ question }}{{ responses[0].text }}",
    scale=Scale(low=1, high=10), direction="better",
)  # fmt: skip
FAULTS = TEN.model_copy(update={"name": "faults", "direction": Direction.WORSE})
FIVE, LETTERED = LIBRARY["prometheus-absolute"], LIBRARY["prometheus-relative"]
KNOWN = {one.hash: one for one in (TEN, FAULTS, *LIBRARY.values())}


def response(text: str) -> Response:
    return Response.make(
        source="t", licence="t", question_id=QUESTION.id, model="m", sampling={}, text=text,
        finish=Finish.STOP, task={},
    )  # fmt: skip


LINES = must_hold(QUESTION)
HALF, ALL = response("\n".join(LINES[:2])), response("\n".join(LINES))


def item(*shown: Response) -> Item:
    return Item.make(
        source="t", licence="t", kind=Kind.PAIR if len(shown) == 2 else Kind.SINGLE,
        question_id=QUESTION.id, response_ids=tuple(one.id for one in shown), bucket="b",
        subtype=None, split=Split.TRAIN,
    )  # fmt: skip


PAIR = item(HALF, ALL)


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    made = RunDir(tmp_path, Header(name="t", task="general", seed=1, dialects={"ten": TEN}))
    made.write("questions/questions.jsonl", [QUESTION])
    made.write("responses/responses.jsonl", [HALF, ALL])
    made.write("split/items.jsonl", [PAIR])
    return made


def labelled(run_dir: RunDir, dialect: str, *more: str) -> list[Label]:
    config = {
        "dialect": dialect, "more": more, "key_policy": "share_held",
        "teachers": {"primary": "gpt", "simulated": [{"name": "gpt", "accuracy": 1.0}]},
    }  # fmt: skip
    labels.run(labels.Config.model_validate(config), run_dir, lambda name: pytest.fail(name))
    return run_dir.read("labels/labels.jsonl", Label)


def test_labels_of_several_dialects_have_ids_of_their_own(run_dir: RunDir) -> None:
    """The key's letter and its two marks were one id; so were the scores alone on two scales."""
    found = labelled(run_dir, "prometheus-relative", "judgelm", "prometheus-absolute", "ten")
    assert len({label.id for label in found}) == len(found) == 8
    alone = f"in prometheus-absolute, {SCORED_ALONE}"
    key = [label for label in found if label.annotator_kind is AnnotatorKind.KEY]
    assert [label.policy for label in key] == [
        "share_held", "share_held, in judgelm", f"share_held, {alone}",
        f"share_held, in ten, {SCORED_ALONE}",
    ]  # fmt: skip
    taught = [label for label in found if label.annotator_kind is AnnotatorKind.SIMULATED]
    assert [label.policy for label in taught] == [
        "primary", "primary, scored in judgelm", f"primary, {alone}",
        f"primary, in ten, {SCORED_ALONE}",
    ]  # fmt: skip
    learnt = learnt_labels(found, AnnotatorKind.KEY)[PAIR.id]
    assert (learnt.policy, learnt.verdict) == ("share_held", choice("B"))


def test_labels_of_one_dialect_are_named_as_ever(run_dir: RunDir) -> None:
    found = labelled(run_dir, "ten")
    assert [label.policy for label in found] == [
        "share_held", f"share_held, {SCORED_ALONE}", "primary",
    ]  # fmt: skip


def label(verdict: Any, **changed: Any) -> Label:
    fields = {
        "source": "t", "licence": "t", "item_id": "i", "direction": Direction.BETTER,
        "confidence": None, "policy": "p", "judgment_ids": (), "annotator": "a",
        "annotator_kind": AnnotatorKind.MODEL,
    }  # fmt: skip
    return Label.make(**{**fields, **changed}, verdict=verdict)


def test_one_id_that_says_two_things_is_refused(run_dir: RunDir) -> None:
    one, same, other = label(choice("A")), label(choice("A")), label(choice("B"))
    require_distinct([one, same, label(choice("B"), policy="q")], path="f")
    with pytest.raises(DataError, match=r"f:3: expected one verdict .* in line 1: both on item i"):
        require_distinct([one, same, other], path="f")
    run_dir.write("labels/judgments.jsonl", [])
    run_dir.write("labels/labels.jsonl", [one, other])
    with pytest.raises(DataError, match=r"labels\.jsonl:2: expected one verdict of each label"):
        rows.run(rows.Config(dialect="judgelm"), run_dir, lambda name: pytest.fail(name))


def score(shown: Response, value: float, dialect: Dialect, reason: str = "So.") -> Judgment:
    return Judgment.make(
        source="t", licence="t", item_id=item(shown).id, judge="gpt", dialect=dialect.hash,
        order=(0,), sample=0, reply="r", rationale=reason, distribution=None, reference=None,
        verdict=Scores(kind="scores", values=(value,), criteria=None), status=Status.PARSED,
    )  # fmt: skip


ITEMS = [item(HALF), item(ALL), PAIR]


def named(singles: list[Judgment], dialect: Dialect = LETTERED) -> list[str]:
    _, found, _ = pairs_by_scores(singles, ITEMS, dialect, known=KNOWN)
    return [str(getattr(one.verdict, "value", one.verdict)) for one in found]


def test_scores_of_two_scales_are_not_compared() -> None:
    """6 of 10 beside 4 of 5 says nothing; 4 beside 5 of 5 does."""
    apart = [score(HALF, 6, TEN), score(ALL, 4, FIVE)]
    assert named(apart) == []
    assert named([*apart, score(HALF, 5, FIVE)]) == ["A"]
    assert named([*apart, score(ALL, 9, TEN)]) == ["B"]


def test_where_the_higher_score_is_worse_the_lower_one_wins() -> None:
    judgments, (label,), _ = pairs_by_scores(
        [score(HALF, 8, FAULTS), score(ALL, 2, FAULTS)], ITEMS, LETTERED, known=KNOWN
    )
    assert label.verdict == choice("B")
    assert str(judgments[0].rationale).endswith("Response B is better: 2 against 8.")
    swapped = compose(("x", "y"), (2, 8), better_is_lower=True)
    assert swapped.endswith("Response A is better: 2 against 8.")
    worse = LETTERED.model_copy(update={"name": "worse", "direction": Direction.WORSE})
    assert named([score(HALF, 8, FAULTS), score(ALL, 2, FAULTS)], worse) == ["A"]
    assert named([score(HALF, 8, TEN), score(ALL, 2, TEN)], worse) == ["B"]


def test_scores_are_not_copied_to_another_scale() -> None:
    marks = LIBRARY["judgelm"]
    with pytest.raises(RecipeError, match=r"'prometheus-absolute' \(1 to 5, higher is better\)"):
        named([score(HALF, 4, FIVE), score(ALL, 5, FIVE)], marks)
    halves = TEN.model_copy(update={"name": "halves", "scale": marks.scale})
    _, (copied,), _ = pairs_by_scores(
        [score(HALF, 6.5, halves), score(ALL, 9, halves)], ITEMS, marks,
        known={halves.hash: halves},
    )  # fmt: skip
    assert copied.verdict == Scores(kind="scores", values=(6.5, 9.0), criteria=None)


def test_a_letter_means_the_same_anywhere_and_a_score_on_its_scale() -> None:
    lettered = score(HALF, 1, LETTERED).model_copy(update={"verdict": choice("A")})
    scored = score(HALF, 3, FIVE)
    bias = LETTERED.model_copy(update={"scale": Scale(choices=("A", "B", "TIE"))})
    assert means_the_same(LETTERED, bias, lettered)
    assert means_the_same(None, bias, lettered)
    assert means_the_same(FIVE, LIBRARY["prometheus-absolute-reference"], scored)
    assert not means_the_same(FIVE, TEN, scored)
    assert not means_the_same(TEN, FAULTS, scored)
    assert not means_the_same(None, FIVE, scored)
    assert dialects_told([scored, scored], KNOWN) == (
        "'prometheus-absolute' (1 to 5, higher is better): 2"
    )
    assert dialects_told([scored], {}).startswith("one that the recipe no longer has (")


def test_a_label_says_what_the_first_of_its_judgments_says() -> None:
    """One that was taken from 1 to 10 and cites what was said of 1 to 5, too, is none of 1 to 5."""
    ten, five = score(HALF, 9, TEN), score(HALF, 4, FIVE)
    said = [
        ImportedLabel(
            (HALF.id,), one.verdict, Direction.BETTER, "gpt", None, "set", "t",
            AnnotatorKind.MODEL, "So.", one.dialect,
        )
        for one in (five, ten)
    ]  # fmt: skip
    found = model_labels(said, [item(HALF)], TEN, KNOWN.__getitem__)
    judgments = {one.id: one for one in found.judgments}
    assert len(found.labels[0].judgment_ids) == 2
    assert taken_over(found.labels, judgments, KNOWN, TEN) == found.labels
    assert taken_over(found.labels, judgments, KNOWN, FIVE) == []


def told(value: str, where: str, *, swap: bool = False, **changed: Any) -> ImportedLabel:
    ids = PAIR.response_ids[::-1] if swap else PAIR.response_ids
    given = ImportedLabel(
        ids, choice(value), Direction.BETTER, "crowd", None, "set", "t", where=where
    )
    return given._replace(**changed)


BOTH_TWICE = [
    told("A", "/a/f:1"), told("A", "/a/f:2", swap=True), told("B", "/a/f:3"),
    told("B", "/a/f:4", swap=True),
]  # fmt: skip


def test_a_crowd_that_is_torn_gives_no_label_and_says_where() -> None:
    """A and B of (x, y), A and B of (y, x): each response was called better twice."""
    torn: dict[str, list[str]] = {}
    assert person_labels(BOTH_TWICE, [PAIR], Direction.BETTER, torn) == ([], 0)
    assert torn == {PAIR.id: ["/a/f:1", "/a/f:2", "/a/f:3", "/a/f:4"]}
    most = [*BOTH_TWICE, told("A", "/a/f:5")]
    (one,), _ = person_labels(most, [PAIR], Direction.BETTER, torn := {})
    assert (one.verdict, torn) == (choice("A"), {})
    with pytest.raises(DataError, match=r"^/a/f:2: 'crowd' gave two .* the other in /a/f:1"):
        person_labels(BOTH_TWICE, [PAIR], Direction.BETTER)


def test_a_model_that_is_torn_gives_no_label_either() -> None:
    said = [one._replace(annotator_kind=AnnotatorKind.MODEL, rationale="So.") for one in BOTH_TWICE]
    found = model_labels(said, [PAIR], LETTERED, KNOWN.__getitem__)
    assert (found.labels, found.counts[TORN], len(found.judgments)) == ([], 1, 4)
    assert found.torn == {PAIR.id: ["/a/f:1", "/a/f:2", "/a/f:3", "/a/f:4"]}


def test_a_letter_that_most_contradict_is_not_learnt_from() -> None:
    """Two say A and one B: the label is A, and rests on the two."""
    said = [
        one._replace(annotator_kind=AnnotatorKind.MODEL, rationale="So.")
        for one in (told("A", "f:1"), told("B", "f:2", swap=True), told("B", "f:3"))
    ]
    found = model_labels(said, [PAIR], LETTERED, KNOWN.__getitem__)
    (one,) = found.labels
    assert one.verdict == choice("A")
    cited = [judgment for judgment in found.judgments if judgment.id in one.judgment_ids]
    assert [judgment.in_item_order() for judgment in cited] == [choice("A")] * 2
    assert isinstance(one.verdict, Choice)


def test_a_torn_crowd_is_in_the_report(tmp_path: Path) -> None:
    """A set of preferences: each of two responses to one question was chosen once."""
    made = [
        {"prompt": "Why?", "chosen": "So it is.", "rejected": "No way."},
        {"prompt": "Why?", "chosen": "No way.", "rejected": "So it is."},
        {"prompt": "How?", "chosen": "Like that.", "rejected": "Not at all."},
    ]
    path = tmp_path / "prefs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    about = {"annotator": "crowd", "annotator_kind": "person", "licence": "MIT"}
    source = {"kind": "preferences", "path": str(path), "about": about}
    run_dir = RunDir(tmp_path / "run", Header(name="t", task="general", seed=1))
    for stage, config in (
        (questions, {"sources": [source]}),
        (responses, {"imports": [source]}),
        (items, {"imports": [source]}),
        (split, {"test_share": 0, "dev_share": 0, "level": "question"}),
    ):
        stage.run(stage.Config.model_validate(config), run_dir, pytest.fail)
    config = labels.Config.model_validate({"dialect": LETTERED.name, "imports": [source]})
    report = labels.run(config, run_dir, pytest.fail)
    assert report.dropped == {TORN: 1}
    assert report.tables["imported and left out"] == {TORN: 1}
    (torn,) = [one for one in report.tables["findings"] if one["audit"] == "torn labels"]
    assert (torn["count"], torn["of"], len(torn["examples"])) == (1, 2, 1)
    (label,) = run_dir.read("labels/labels.jsonl", Label)
    assert label.verdict == choice("A")
