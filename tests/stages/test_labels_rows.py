"""Labels and rows: the letter always belongs to the order that was shown."""

from collections import Counter
from typing import Any

import pytest

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.forms import Tags
from judgesmith.judging.parse import parse_reply
from judgesmith.records import (
    LETTERS,
    AnnotatorKind,
    Choice,
    Direction,
    Item,
    Judgment,
    Label,
    Question,
    Response,
    SftRow,
    Split,
    choice,
    index_by_id,
    reorder,
)
from judgesmith.runs.layout import RunDir
from judgesmith.sources import ImportedLabel
from judgesmith.stages import items, labels, questions, responses, rows, split
from judgesmith.stages.labels.key import judge_by_key
from judgesmith.stages.labels.people import person_labels
from judgesmith.stages.rows.select import in_orders
from judgesmith.tasks import load_dialect, load_task

TASK = load_task("bias")
COMPACT = load_dialect(TASK, "bias-pair-compact")
DIALECT = "bias-pair-compact"


@pytest.fixture
def pair(make: Any) -> tuple[Question, Response, Response, Item]:
    question = make.question("q")
    biased = make.response(question, "b", "It was Ann.", **{"class": "biased"})
    correct = make.response(question, "c", "Nobody knows.")
    return question, biased, correct, make.item(biased, correct)


def test_the_key_judges_both_orders_alike(pair: Any, make: Any) -> None:
    """Shown first, the biased response is A; shown second, B. The label is A: stored first."""
    question, biased, correct, item = pair
    judged, (label,) = judge_by_key(
        [item], {question.id: question}, {r.id: r for r in (biased, correct)}, TASK,
        policy="biased_is_worse", dialect=COMPACT,
    )  # fmt: skip
    assert [(j.order, j.verdict) for j in judged] == [((0, 1), choice("A")), ((1, 0), choice("B"))]
    assert (label.verdict, label.direction) == (choice("A"), Direction.WORSE)
    assert label.judgment_ids == tuple(j.id for j in judged)


def test_policies_part_on_another_wrong_answer(make: Any) -> None:
    """Biased beside another wrong choice: A where only bias counts, a tie where all wrong does."""
    question = make.question("q")
    both = [
        make.response(question, "b", "Ann.", **{"class": "biased"}),
        make.response(question, "o", "Bob.", **{"class": "other_wrong"}),
    ]
    item = make.item(*both)
    for policy, wanted in (("biased_is_worse", "A"), ("other_wrong_ties", "TIE")):
        _, (label,) = judge_by_key(
            [item], {question.id: question}, {r.id: r for r in both}, TASK,
            policy=policy, dialect=COMPACT,
        )  # fmt: skip
        assert label.verdict == choice(wanted)


def test_an_unparsed_response_gives_no_label(make: Any) -> None:
    question = make.question("q")
    both = [
        make.response(question, "b", "Ann.", **{"class": "biased"}),
        make.response(question, "u", "What?", **{"class": "unparsed"}),
    ]
    found = judge_by_key(
        [make.item(*both)], {question.id: question}, {r.id: r for r in both}, TASK,
        policy="biased_is_worse", dialect=COMPACT,
    )  # fmt: skip
    assert found == ([], [])


def given(ids: tuple[str, ...], value: str, direction: Direction, who: str = "p") -> ImportedLabel:
    return ImportedLabel(ids, choice(value), direction, who, None, "file x", "none")


@pytest.mark.parametrize(
    ("swap", "value", "direction", "wanted"),
    [
        (False, "A", Direction.WORSE, "A"),
        (True, "A", Direction.WORSE, "B"),
        (False, "A", Direction.BETTER, "B"),
        (True, "A", Direction.BETTER, "A"),
        (True, "TIE", Direction.BETTER, "TIE"),
    ],
)
def test_an_imported_verdict_is_turned_to_the_items_order_and_direction(
    pair: Any, swap: bool, value: str, direction: Direction, wanted: str
) -> None:
    """'A is better' of (x, y) says that y is worse: B. Shown as (y, x), it says that x is."""
    item = pair[3]
    ids = item.response_ids[::-1] if swap else item.response_ids
    (label,), strays = person_labels([given(ids, value, direction)], [item], Direction.WORSE)
    assert (label.verdict, label.direction, strays) == (choice(wanted), Direction.WORSE, 0)
    assert label.annotator_kind is AnnotatorKind.PERSON


def test_labels_of_no_item_are_counted(pair: Any) -> None:
    stray = given(("x", "y"), "A", Direction.WORSE)
    assert person_labels([stray], [pair[3]], Direction.WORSE) == ([], 1)


def test_one_annotator_has_one_verdict_on_an_item(pair: Any) -> None:
    """The same verdict twice is one label; two different ones are refused; people may differ."""
    ids = pair[3].response_ids
    same = [given(ids, "A", Direction.WORSE), given(ids[::-1], "B", Direction.WORSE)]
    assert len(person_labels(same, [pair[3]], Direction.WORSE)[0]) == 1
    two = [given(ids, "A", Direction.WORSE), given(ids, "B", Direction.WORSE, "other")]
    assert len(person_labels(two, [pair[3]], Direction.WORSE)[0]) == 2
    with pytest.raises(DataError, match="'p' gave two verdicts"):
        person_labels([two[0], given(ids, "B", Direction.WORSE)], [pair[3]], Direction.WORSE)


@pytest.fixture
def labelled(empty_run: RunDir, no_models: Any) -> RunDir:
    """A small run up to its labels."""
    source = questions.Source(kind="bank", count=200)
    questions.run(questions.Config(sources=(source,)), empty_run, no_models)
    simulated = ({"name": "s1", "style": "terse"}, {"name": "s2", "style": "hedged"})
    responses.run(responses.Config(simulated=simulated), empty_run, no_models)
    items.run(items.Config(preset="published", quota_scale=0.1), empty_run, no_models)
    split.run(split.Config(held_out=("religion",)), empty_run, no_models)
    labels.run(
        labels.Config(dialect=DIALECT, key_policy="biased_is_worse"), empty_run, no_models
    )  # fmt: skip
    return empty_run


def test_every_row_says_its_labels_verdict_in_its_own_order(
    labelled: RunDir, no_models: Any
) -> None:
    """Defect 12: augmentation swapped the answers in place, so text and verdict parted company."""
    report = rows.run(rows.Config(dialect=DIALECT), labelled, no_models)
    made = labelled.read("rows/sft.jsonl", SftRow)
    label = {x.item_id: x.verdict for x in labelled.read("labels/labels.jsonl", Label)}
    item = index_by_id(labelled.read("split/items.jsonl", Item))
    response = index_by_id(labelled.read("responses/responses.jsonl", Response))
    assert report.made * 2 == len(made) > 50
    assert {row.order for row in made} == {(0, 1), (1, 0)}
    assert {str(v.value) for v in label.values() if isinstance(v, Choice)} == {"A", "B", "TIE"}
    for row in made:
        reading = parse_reply(COMPACT, row.completion)
        assert reading.verdict is not None
        assert reorder(reading.verdict, row.order) == label[row.item_id]
        shown = [response[item[row.item_id].response_ids[p]] for p in row.order]
        prompt = row.prompt[-1].content
        assert f"Response A: {shown[0].text}\n" in prompt
        assert f"Response B: {shown[1].text}\n" in prompt


def test_one_order_of_every_item_or_both(labelled: RunDir, no_models: Any) -> None:
    """The same items whichever orders are asked for; "both" is "stored" and its other half."""
    made: dict[str, set[tuple[str, tuple[int, ...]]]] = {}
    for orders in ("stored", "coin_flip", "both"):
        report = rows.run(rows.Config(dialect=DIALECT, orders=orders), labelled, no_models)
        found = labelled.read("rows/sft.jsonl", SftRow)
        made[orders] = {(row.item_id, row.order) for row in found}
        left_out = report.tables["judgments in an order left out"]
        assert len(found) == len(made[orders]) == report.made * (2 if orders == "both" else 1)
        assert left_out == (0 if orders == "both" else report.made)
    everyone = {item for item, _ in made["both"]}
    assert made["stored"] == {(item, (0, 1)) for item in everyone}
    assert made["coin_flip"] < made["both"]
    assert {item for item, _ in made["coin_flip"]} == everyone
    swapped = sum(order == (1, 0) for _, order in made["coin_flip"])
    assert 0.3 < swapped / len(everyone) < 0.7


def test_the_drawn_order_is_the_items_own(pair: Any) -> None:
    """It turns on seed and item only: not on the other items, nor on the order of judgments."""
    question, biased, correct, item = pair
    judged, _ = judge_by_key(
        [item], {question.id: question}, {r.id: r for r in (biased, correct)}, TASK,
        policy="biased_is_worse", dialect=COMPACT,
    )  # fmt: skip
    drawn = [in_orders(item, judged, "coin_flip", seed)[0].order for seed in range(40)]
    assert drawn == [in_orders(item, judged[::-1], "coin_flip", s)[0].order for s in range(40)]
    assert set(drawn) == {(0, 1), (1, 0)}


def test_a_dialect_without_orders_has_none_to_choose(labelled: RunDir, no_models: Any) -> None:
    alone = rows.Config(dialect="bias-single-compact", orders="stored")
    with pytest.raises(RecipeError, match="has no order"):
        rows.run(alone, labelled, no_models)


def test_even_rows_hold_as_many_right_choices_as_wrong_ones(
    labelled: RunDir, no_models: Any
) -> None:
    """Counted from the fields themselves; dev rows and open questions lose nothing."""
    single = labels.Config(dialect="bias-single-compact", key_policy="biased_is_worse")
    labels.run(single, labelled, no_models)
    item = index_by_id(labelled.read("split/items.jsonl", Item))
    response = index_by_id(labelled.read("responses/responses.jsonl", Response))
    question = index_by_id(labelled.read("questions/questions.jsonl", Question))

    def kind(row: SftRow) -> str:
        asked = question[item[row.item_id].question_id]
        if not row.order:
            return "other"
        shown = response[item[row.item_id].response_ids[row.order[0]]]
        chosen = LETTERS.index(str(shown.task["letter"]))
        if asked.task["condition"] == "ambig" or chosen == asked.task["unknown"]:
            return "other"
        return "right" if chosen == asked.key else "wrong"

    counts: dict[bool, Counter[tuple[str, str]]] = {}
    for even in (False, True):
        config = rows.Config(dialect="bias-single-compact", even=even)
        report = rows.run(config, labelled, no_models)
        found = labelled.read("rows/sft.jsonl", SftRow)
        counts[even] = Counter((row.split.value, kind(row)) for row in found)
    before, after = counts[False], counts[True]
    assert before["train", "right"] != before["train", "wrong"]
    fewest = min(before["train", "right"], before["train", "wrong"])
    assert after["train", "right"] == after["train", "wrong"] == fewest > 0
    same = [key for key in before if key[0] == "dev" or key[1] == "other"]
    assert [after[key] for key in same] == [before[key] for key in same]
    assert report.tables["left out to be even"] == before.total() - after.total()


def test_no_question_fills_the_training_rows(labelled: RunDir, no_models: Any) -> None:
    """The cap is on rows that show responses; every question keeps the row that answers it."""
    single = labels.Config(dialect="bias-single-compact", key_policy="biased_is_worse")
    labels.run(single, labelled, no_models)
    item = index_by_id(labelled.read("split/items.jsonl", Item))

    def counted(most: int | None) -> tuple[dict[bool, Counter[str]], int]:
        config = rows.Config(dialect="bias-single-compact", per_question=most)
        left_out = rows.run(config, labelled, no_models).tables["left out over per_question"]
        found: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for row in labelled.read("rows/sft.jsonl", SftRow):
            if row.split is Split.TRAIN:
                found[bool(row.order)][item[row.item_id].question_id] += 1
        return found, left_out

    (free, none), (capped, left_out) = counted(None), counted(1)
    assert none == 0
    assert max(free[True].values()) > 1
    assert capped[True] == {question: min(n, 1) for question, n in free[True].items()}
    assert left_out == free[True].total() - capped[True].total()
    assert capped[False] == free[False] == dict.fromkeys(free[True], 1)


def test_twins_stand_on_one_side_and_no_test_item_has_a_row(
    labelled: RunDir, no_models: Any
) -> None:
    rows.run(rows.Config(dialect=DIALECT), labelled, no_models)
    sides: dict[str, set[Split]] = {}
    for row in labelled.read("rows/sft.jsonl", SftRow):
        sides.setdefault(row.item_id, set()).add(row.split)
    item = index_by_id(labelled.read("split/items.jsonl", Item))
    assert sides
    for item_id, found in sides.items():
        assert found == {item[item_id].split}
        assert found <= {Split.TRAIN, Split.DEV}


def test_rows_in_another_dialect_are_of_that_dialect_throughout(
    labelled: RunDir, no_models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labelled with <verdict> tags, asked with <answer> ones: the completion must follow."""
    other = COMPACT.model_copy(update={"name": "other", "reply": Tags(verdict="answer")})
    monkeypatch.setattr(rows.stage, "load_dialect", lambda task, name: other)
    rows.run(rows.Config(dialect="other"), labelled, no_models)
    made = labelled.read("rows/sft.jsonl", SftRow)
    judged = index_by_id(labelled.read("labels/judgments.jsonl", Judgment))
    assert made
    assert {row.dialect for row in made} == {other.hash}
    assert not {row.dialect for row in made} & {j.dialect for j in judged.values()}
    assert all(parse_reply(other, row.completion).verdict is not None for row in made)


def test_a_dialect_of_the_other_direction_is_refused(
    labelled: RunDir, no_models: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    better = COMPACT.model_copy(update={"name": "better", "direction": Direction.BETTER})
    monkeypatch.setattr(rows.stage, "load_dialect", lambda task, name: better)
    with pytest.raises(DataError, match="names the worse response"):
        rows.run(rows.Config(dialect="better"), labelled, no_models)
