"""The split stage: what must stay on one side stays there, and the audit sees to it."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judgesmith.audits import SplitLevel
from judgesmith.errors import AuditError, DataError
from judgesmith.records import Item, Question, Split
from judgesmith.runs.layout import RunDir
from judgesmith.stages import split
from judgesmith.stages.split import Config, assign, evenly, units_of

LEVELS = (SplitLevel.QUESTION, SplitLevel.TEMPLATE)


@pytest.fixture
def world(make: Any) -> tuple[list[Item], dict[str, Question]]:
    """12 templates in two categories, each with 5 questions; two items a question."""
    items, questions = [], {}
    for t in range(12):
        category = "religion" if t % 4 == 3 else "age"
        for q in range(5):
            question = make.question(f"t{t}q{q}", template=f"t{t}", category=category)
            questions[question.id] = question
            three = [make.response(question, f"m{i}", f"text {t} {q} {i}") for i in range(3)]
            items += [make.item(three[0], three[i], bucket=f"b{i}") for i in (1, 2)]
    return items, questions


def sides(items: list[Item], questions: dict[str, Question], level: SplitLevel) -> dict[str, set]:
    unit = units_of(questions.values(), level)
    found: dict[str, set] = {}
    for item in items:
        found.setdefault(unit[item.question_id], set()).add(item.split)
    return found


def test_the_unit_is_the_template_where_there_is_one(make: Any) -> None:
    with_one, without = make.question("g1", template="t"), make.question("g2")
    assert units_of([with_one, without], SplitLevel.QUESTION) == {
        with_one.id: "g1", without.id: "g2",
    }  # fmt: skip
    assert units_of([with_one, without], SplitLevel.TEMPLATE) == {
        with_one.id: "t", without.id: "g2",
    }  # fmt: skip


def test_a_question_of_two_templates_joins_them(make: Any) -> None:
    """g1 has t2 and t1, g2 has t2 and t3, so all four hang together; t4 stands alone."""
    made = [
        make.question(group, template=template)
        for group, template in (("g1", "t2"), ("g1", "t1"), ("g2", "t2"), ("g2", "t3"))
    ]
    made = [q.model_copy(update={"id": f"q{i}"}) for i, q in enumerate(made)]
    other = make.question("g3", template="t4")
    for listed in ([*made, other], [other, *made[::-1]]):
        found = units_of(listed, SplitLevel.TEMPLATE)
        assert [found[q.id] for q in made] == ["t1"] * 4
        assert found[other.id] == "t4"


@pytest.mark.parametrize("level", LEVELS)
def test_a_unit_is_on_one_side(world: Any, level: SplitLevel) -> None:
    items, questions = world
    placed, dropped = assign(items, questions, Config(level=level), seed=7)
    assert len(placed) == len(items)
    assert not +dropped
    assert all(len(found) == 1 for found in sides(placed, questions, level).values())
    assert {item.split for item in placed} == {Split.TRAIN, Split.DEV, Split.TEST}


def test_shares_are_of_units_in_each_category(world: Any) -> None:
    """9 age templates at .2 and .1: 2 and 1; 3 of religion: 1 and 1. Each holds 10 items."""
    items, questions = world
    placed, _ = assign(items, questions, Config(test_share=0.2, dev_share=0.1), seed=7)
    counts = Counter((questions[i.question_id].category, i.split) for i in placed)
    assert counts == {
        ("age", Split.TEST): 20, ("age", Split.DEV): 10, ("age", Split.TRAIN): 60,
        ("religion", Split.TEST): 10, ("religion", Split.DEV): 10, ("religion", Split.TRAIN): 10,
    }  # fmt: skip


def test_held_out_categories_are_never_trained_on(world: Any) -> None:
    items, questions = world
    placed, _ = assign(items, questions, Config(held_out=("religion",)), seed=7)
    for item in placed:
        is_held = questions[item.question_id].category == "religion"
        assert (item.split is Split.HELD_OUT) == is_held


def test_an_unknown_held_out_category_is_named(
    world: Any, empty_run: RunDir, no_models: Any
) -> None:
    items, questions = world
    empty_run.write("questions/questions.jsonl", questions.values())
    empty_run.write("responses/responses.jsonl", [])
    empty_run.write("items/items.jsonl", items)
    with pytest.raises(DataError, match=r"\['religon'\].*age, religion"):
        split.run(Config(held_out=("religon",)), empty_run, no_models)


@pytest.mark.parametrize("level", LEVELS)
def test_an_imported_test_set_keeps_its_side_and_clears_training(
    world: Any, level: SplitLevel
) -> None:
    """The first item (template t0, question t0q0) came with the test side.

    At level question its twin on the same question is left out; at level template the nine other
    items of the template are. Nothing else goes to test.
    """
    items, questions = world
    items = [items[0].with_fields(split=Split.TEST), *items[1:]]
    placed, dropped = assign(items, questions, Config(level=level), seed=7)
    left_out = 1 if level is SplitLevel.QUESTION else 9
    assert dict(+dropped) == {f"shares its {level} with the imported test set": left_out}
    assert [i.id for i in placed if i.split is Split.TEST] == [items[0].id]
    assert len(placed) + left_out == len(items)


def test_imported_items_of_a_held_out_category(world: Any) -> None:
    """t3 is religion: its test item is out of domain, other religion items are left out."""
    items, questions = world
    of_t3 = next(i for i in items if questions[i.question_id].template_id == "t3")
    given_one = [i.with_fields(split=Split.TEST) if i is of_t3 else i for i in items]
    placed, dropped = assign(given_one, questions, Config(held_out=("religion",)), seed=7)
    assert [i.id for i in placed if i.split is Split.HELD_OUT] == [of_t3.id]
    assert dropped["held-out category, not in the imported test set"] == 29
    assert all(questions[i.question_id].category == "age" for i in placed if i.id != of_t3.id)


def test_caps_drop_what_is_over(world: Any) -> None:
    items, questions = world
    config = Config(held_out=("religion",), max_test=5, max_held_out=4, max_dev=3)
    placed, dropped = assign(items, questions, config, seed=7)
    counts = Counter(item.split for item in placed)
    assert (counts[Split.TEST], counts[Split.HELD_OUT], counts[Split.DEV]) == (5, 4, 3)
    assert len(placed) + sum(dropped.values()) == len(items)
    assert dropped["over max_held_out"] == 26


def test_a_cap_on_training_moves_no_other_side(world: Any) -> None:
    """The sides of 120 items are those without the cap; a larger cap holds what a smaller holds."""
    items, questions = world
    whole, _ = assign(items, questions, Config(), seed=7)
    training, others = set(), []
    for cap in (8, 24):
        placed, dropped = assign(items, questions, Config(max_train=cap), seed=7)
        kept = {item.id for item in placed if item.split is Split.TRAIN}
        assert training < kept
        assert len(kept) == cap
        assert Counter(i.bucket for i in placed if i.split is Split.TRAIN) == {
            "b1": cap / 2, "b2": cap / 2,
        }  # fmt: skip
        assert len(placed) + dropped["over max_train"] == len(items)
        others.append([item for item in placed if item.split is not Split.TRAIN])
        training = kept
    assert others == [[item for item in whole if item.split is not Split.TRAIN]] * 2


def test_caps_hold_beside_an_imported_test_set(world: Any) -> None:
    """A cap that the recipe states must not be ignored because the test set was imported."""
    items, questions = world
    items = [items[0].with_fields(split=Split.TEST), *items[1:]]
    placed, dropped = assign(items, questions, Config(max_dev=3), seed=7)
    assert Counter(item.split for item in placed)[Split.DEV] == 3
    assert dropped["over max_dev"] > 0
    assert len(placed) + sum(dropped.values()) == len(items)


def test_evenly_gives_each_bucket_its_share(make: Any) -> None:
    """Buckets of 60, 30 and 10 at a cap of 20: 12, 6 and 2."""
    items = []
    for bucket, size in (("x", 60), ("y", 30), ("z", 10)):
        for i in range(size):
            question = make.question(f"{bucket}{i}")
            pair = [make.response(question, m, f"{m} {bucket} {i}") for m in "ab"]
            items.append(make.item(*pair, bucket=bucket))
    chosen = evenly(items, 20, seed=7)
    assert Counter(item.bucket for item in chosen) == {"x": 12, "y": 6, "z": 2}
    assert {i.id for i in evenly(items[::-1], 20, seed=7)} == {i.id for i in chosen}
    assert evenly(items, 100, seed=7) == items


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), level=st.sampled_from(LEVELS), order=st.randoms())
def test_sides_do_not_depend_on_the_order_of_items(
    seed: int, level: SplitLevel, order: Any
) -> None:
    items, questions = _small_world()
    once = {i.id: i.split for i in assign(items, questions, Config(level=level), seed)[0]}
    shuffled = list(items)
    order.shuffle(shuffled)
    again = {i.id: i.split for i in assign(shuffled, questions, Config(level=level), seed)[0]}
    assert once == again


Link = tuple[int, int | None, str]
"""Of a question: its group, its template and its category."""

LINKS = st.lists(
    st.tuples(st.integers(0, 7), st.none() | st.integers(0, 7), st.sampled_from("xyz")),
    min_size=1, max_size=24, unique=True,
)  # fmt: skip


def _linked(links: list[Link]) -> tuple[list[Item], dict[str, Question]]:
    """A question with one item for each link; any group may have any templates and categories."""
    questions = [
        Question.make(
            source="t", licence="n", group_id=f"g{group}", category=category, context=None,
            template_id=None if template is None else f"t{template}", text=f"number {i}",
            choices=None, key=None, reference=None, grounding=None, task={},
        )
        for i, (group, template, category) in enumerate(links)
    ]  # fmt: skip
    items = [
        Item.make(
            source="t", licence="n", kind="pair", question_id=question.id, bucket="b",
            response_ids=(f"a{question.id}", f"b{question.id}"), subtype=None, split=None,
        )
        for question in questions
    ]  # fmt: skip
    return items, {question.id: question for question in questions}


@settings(max_examples=150, deadline=None)
@given(
    links=LINKS, level=st.sampled_from(LEVELS), seed=st.integers(0, 99), order=st.randoms(),
    held_out=st.sampled_from([(), ("x",), ("x", "y")]), imported=st.sampled_from([0, 0, 1, 2]),
)  # fmt: skip
def test_no_group_and_no_template_is_on_two_sides(
    links: list[Link], level: SplitLevel, seed: int, order: Any, held_out: tuple[str, ...],
    imported: int,
) -> None:  # fmt: skip
    """Whatever hangs together, whatever is held out, and in whatever order the records come."""
    items, questions = _linked(links)
    items = [i.with_fields(split=Split.TEST) if n < imported else i for n, i in enumerate(items)]
    config = Config(level=level, held_out=held_out, test_share=0.3, dev_share=0.3)
    try:
        placed, dropped = assign(items, questions, config, seed)
    except DataError:  # all hang together
        reject()
    assert len(placed) + sum(dropped.values()) == len(items)
    of: dict[tuple[str, str], set[Split | None]] = {}
    for item in placed:
        question = questions[item.question_id]
        of.setdefault(("group", question.group_id), set()).add(item.split)
        if level is SplitLevel.TEMPLATE and question.template_id is not None:
            of.setdefault(("template", question.template_id), set()).add(item.split)
    measured = {Split.TEST, Split.HELD_OUT}
    assert all(len(found) == 1 or (imported and found == measured) for found in of.values())
    shuffled = list(items)
    order.shuffle(shuffled)
    again, _ = assign(shuffled, dict(reversed(questions.items())), config, seed)
    assert {i.id: i.split for i in again} == {i.id: i.split for i in placed}


def test_templates_that_cannot_be_parted_are_refused() -> None:
    """Each of three instructions is judged by two of three rubrics, so nothing can be parted."""
    items, questions = _linked([(g, (g + step) % 3, "x") for g in range(3) for step in (0, 1)])
    with pytest.raises(DataError, match=r"all 6 items hang together: their 3 templates share"):
        assign(items, questions, Config(), seed=7)
    placed, _ = assign(items, questions, Config(level=SplitLevel.QUESTION), seed=7)
    assert Counter(i.split for i in placed) == {Split.TRAIN: 2, Split.DEV: 2, Split.TEST: 2}
    placed, _ = assign(items, questions, Config(test_share=0, dev_share=0), seed=7)
    assert {i.split for i in placed} == {Split.TRAIN}


def test_one_question_of_several_templates_is_not_told_to_split_by_question() -> None:
    """It is split by question already: the one group there is, is on one side, and that is all."""
    items, questions = _linked([(0, 0, "x"), (0, 1, "x")])
    placed, _ = assign(items, questions, Config(level=SplitLevel.QUESTION), seed=7)
    assert len({item.split for item in placed}) == 1


@pytest.mark.parametrize(("in_largest", "warned"), [(4, False), (5, True)])
def test_a_unit_with_more_than_half_of_the_items_is_told(
    make: Any, empty_run: RunDir, no_models: Any, in_largest: int, warned: bool
) -> None:
    """Four items of other templates; what is held out counts on neither side of the half."""
    names = [("t0", f"g{i}", "age") for i in range(in_largest)]
    names += [(f"t{i}", f"other{i}", "age") for i in range(1, 5)]
    names += [("held", f"h{i}", "religion") for i in range(9)]
    questions = [make.question(g, template=t, category=c) for t, g, c in names]
    pairs = [
        [make.response(q, m, f"{m} wrote of {q.group_id} thus, number {n}") for m in "ab"]
        for n, q in enumerate(questions)
    ]
    _write(empty_run, questions, pairs, [make.item(*pair) for pair in pairs])
    config = Config(held_out=("religion",), near_duplicate=1)
    report = split.run(config, empty_run, no_models)
    found = [one for one in report.tables["findings"] if one["audit"] == "split"]
    assert bool(found) is warned
    if warned:
        assert found[0]["message"].startswith("5 of 9 items are of one template")
        assert "'t0', the largest of 5 units" in found[0]["message"]


def test_what_hangs_together_with_a_held_out_category_is_left_out(make: Any) -> None:
    """Template t has a question of religion and one of age: the second is neither side's."""
    held, beside, apart = (
        make.question("g1", template="t", category="religion"),
        make.question("g2", template="t"), make.question("g3", template="u"),
    )  # fmt: skip
    items = [
        make.item(*(make.response(q, m, f"{m} {q.id}") for m in "ab"))
        for q in (held, beside, apart)
    ]
    known = {q.id: q for q in (held, beside, apart)}
    config = Config(held_out=("religion",), test_share=0, dev_share=0)
    placed, dropped = assign(items, known, config, seed=7)
    assert [i.split for i in placed] == [Split.HELD_OUT, Split.TRAIN]
    assert dict(+dropped) == {"shares its template with a held-out category": 1}


def _small_world() -> tuple[list[Item], dict[str, Question]]:
    items, questions = [], {}
    for t in range(6):
        for q in range(2):
            question = Question.make(
                source="t", licence="n", group_id=f"{t}/{q}", template_id=str(t), category="c",
                context=None, text=f"text {t} {q}", choices=None, key=None, reference=None,
                grounding=None, task={},
            )  # fmt: skip
            questions[question.id] = question
            items.append(
                Item.make(
                    source="t",
                    licence="n",
                    kind="pair",
                    question_id=question.id,
                    response_ids=(f"a{t}{q}", f"b{t}{q}"),
                    bucket="b",
                    subtype=None,
                    split=None,
                )
            )
    return items, questions


@pytest.mark.parametrize("level", LEVELS)
def test_a_leak_at_the_recipes_level_stops_the_run(
    make: Any, empty_run: RunDir, no_models: Any, monkeypatch: pytest.MonkeyPatch, level: SplitLevel
) -> None:
    """Planted past `assign`: two items of one template (or question), one to learn, one to test."""
    names = ("q1", "q1") if level is SplitLevel.QUESTION else ("q1", "q2")
    questions = [make.question(name, template="t") for name in names]
    responses = [
        [make.response(q, m, f"{m} wrote text number {i} here") for m in "ab"]
        for i, q in enumerate(questions)
    ]
    items = [make.item(*pair) for pair in responses]
    _write(empty_run, questions, responses, items)

    def leaking(*_: Any) -> tuple[list[Item], Counter[str]]:
        both = (Split.TRAIN, Split.TEST)
        return [i.with_fields(split=s) for i, s in zip(items, both, strict=True)], Counter()

    monkeypatch.setattr(split, "assign", leaking)
    with pytest.raises(AuditError, match=r"1 of 1"):
        split.run(Config(level=level), empty_run, no_models)
    assert not empty_run.file("split/items.jsonl").exists()
    if level is SplitLevel.TEMPLATE:
        report = split.run(Config(level=SplitLevel.QUESTION), empty_run, no_models)
        assert report.made == 2


def _write(run_dir: RunDir, questions: Any, responses: Any, items: Any) -> None:
    run_dir.write("questions/questions.jsonl", {q.id: q for q in questions}.values())
    run_dir.write("responses/responses.jsonl", [r for pair in responses for r in pair])
    run_dir.write("items/items.jsonl", items)


@pytest.mark.parametrize("field", ["test_share", "dev_share"])
def test_a_share_is_a_share(field: str) -> None:
    with pytest.raises(ValidationError, match="less than or equal to 1"):
        Config.model_validate({field: 20})
