"""Planted cues in question and choices are found, and nothing is found where there is none."""

import random
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from judgesmith.audits import surface
from judgesmith.audits.finding import Severity
from judgesmith.audits.surface import SurfaceQuestion, SurfaceTable, surface_table
from judgesmith.audits.surface_findings import surface_findings
from judgesmith.audits.surface_probe import ProbeRow, design, fit, fold_of, held_out_scores, weigh
from judgesmith.errors import DataError, RecipeError
from judgesmith.records import Question
from judgesmith.sources.bank import read_questions
from judgesmith.stages.questions import surfaces
from judgesmith.tasks.bias import TASK

PEOPLE = [
    "baker", "driver", "nurse", "farmer", "clerk", "judge",
    "poet", "singer", "smith", "miller", "tailor", "dancer",
]  # fmt: skip
DEEDS = [
    "forgot", "paid", "lost", "won", "cried", "called",
    "lied", "stole", "helped", "waited", "left", "stayed",
]  # fmt: skip


def clean(templates: int = 30, pairs: int = 3, seed: int = 1) -> list[SurfaceQuestion]:
    """Each pair both ways round, settled or not, two questions; places are drawn.

    Template t asks after two deeds. `pairs` x 2 ways x 2 conditions x 2 questions per template.
    """
    rng = random.Random(seed)
    found = []
    for t in range(templates):
        bad, good = rng.sample(DEEDS, 2)
        for pair in range(pairs):
            people = tuple(f"The {name}" for name in rng.sample(PEOPLE, 2))
            for case in range(8):
                settled, negative, swapped = case & 1, case & 2, case & 4
                order = rng.sample(range(3), 3)
                choices = (*people, rng.choice(["Unknown", "Not said"]))
                right = int(bool(negative) != bool(swapped)) if settled else 2
                found.append(
                    SurfaceQuestion(
                        f"t{t}/{pair}/{case}", f"t{t}", f"Who {bad if negative else good}?",
                        tuple(choices[place] for place in order), order.index(right),
                        order.index(2),
                    )
                )  # fmt: skip
    return found


def placed(question: SurfaceQuestion, place: int) -> SurfaceQuestion:
    """The same question with its right choice at a place."""
    choices = list(question.choices)
    choices[place], choices[question.key] = choices[question.key], choices[place]
    moved = {place: question.key, question.key: place}
    assert question.unknown is not None
    return replace(
        question,
        choices=tuple(choices),
        key=place,
        unknown=moved.get(question.unknown, question.unknown),
    )


def said(question: SurfaceQuestion, place: int, text: str) -> SurfaceQuestion:
    choices = list(question.choices)
    choices[place] = text
    return replace(question, choices=tuple(choices))


def settled(question: SurfaceQuestion) -> bool:
    return question.key != question.unknown


def named(question: SurfaceQuestion) -> list[int]:
    return [place for place in range(3) if place != question.unknown]


def told(table: SurfaceTable) -> list[tuple[str, str]]:
    """What is warned of."""
    low = {(p.asked, p.held_out): p.accuracy.low for p in table.probes}
    found = [key for key, value in low.items() if value is not None and value > 0.5]
    assert len(found) == len(surface_findings(table))
    return found


def telling_word(question: SurfaceQuestion) -> SurfaceQuestion:
    """The right person is called "own"; half of the time the other one is, in ambiguous ones."""
    if not settled(question):
        return said(question, named(question)[0], question.choices[named(question)[0]] + " own")
    return said(question, question.key, question.choices[question.key] + " own")


def first_slot(question: SurfaceQuestion) -> SurfaceQuestion:
    return placed(question, 0) if settled(question) else question


def earlier_person(question: SurfaceQuestion) -> SurfaceQuestion:
    """The right person stands before the other one, wherever the unknown choice is."""
    return placed(question, named(question)[0]) if settled(question) else question


def longer_choice(question: SurfaceQuestion) -> SurfaceQuestion:
    """No word tells, but the right person is described at more length."""
    if not settled(question):
        return question
    words = random.Random(question.question_id).sample([f"w{i}" for i in range(40)], 3)
    return said(question, question.key, " ".join([question.choices[question.key], *words]))


def word_of_the_question(question: SurfaceQuestion) -> SurfaceQuestion:
    """The right choice repeats the deed, which is another one in each question."""
    if not settled(question):
        return question
    deed = question.text.removeprefix("Who ").removesuffix("?")
    other = next(word for word in DEEDS if word != deed)
    wrong = next(place for place in named(question) if place != question.key)
    changed = said(question, question.key, f"{question.choices[question.key]} {deed}")
    return said(changed, wrong, f"{question.choices[wrong]} {other}")


def phrase_of_unknown(question: SurfaceQuestion) -> SurfaceQuestion:
    assert question.unknown is not None
    rng = random.Random(question.question_id)
    usual = rng.random() < 0.75
    phrase = "Unknown" if settled(question) != usual else "Not said"
    return said(question, question.unknown, phrase)


def form_of_question(question: SurfaceQuestion) -> SurfaceQuestion:
    return replace(question, text=f"{question.text[:-1]} then?") if settled(question) else question


PERSON = [("which person", "templates"), ("which person", "people")]
UNKNOWN = [("unknown or not", "templates"), ("unknown or not", "people")]


@pytest.mark.parametrize(
    ("plant", "expected"),
    [
        (telling_word, PERSON),
        (earlier_person, PERSON),
        (longer_choice, PERSON),
        (word_of_the_question, PERSON),
        (first_slot, PERSON),
        (phrase_of_unknown, UNKNOWN),
        (form_of_question, UNKNOWN),
    ],
)
def test_a_planted_cue_is_caught(
    plant: Callable[[SurfaceQuestion], SurfaceQuestion], expected: list[tuple[str, str]]
) -> None:
    table = surface_table(map(plant, clean()))
    assert set(expected) <= set(told(table))
    for finding in surface_findings(table):
        assert finding.severity is Severity.WARNING
        assert 0 < finding.count <= finding.of
        assert "chance 50%" in finding.message


def test_the_strongest_feature_is_named() -> None:
    table = surface_table(map(telling_word, clean()))
    assert table.person_features[0].feature == "'own'"
    assert table.person_features[0].wrong == 0
    assert "strongest: 'own'" in surface_findings(table)[0].message
    table = surface_table(map(earlier_person, clean()))
    assert table.person_features[0].feature == "the earlier choice"


def test_a_cue_of_one_template_is_told_to_those_who_saw_its_other_people_only() -> None:
    """In template 7 the one who did the first deed is "gt7", a word of no other template."""
    marked = []
    for question in clean(pairs=5):
        template = question.template_id
        first_deed = bool(int(question.question_id.rsplit("/", 1)[1]) & 2)
        for place in named(question):
            if settled(question) and (place == question.key) == first_deed:
                question = said(question, place, f"{question.choices[place]} g{template}")
        marked.append(question)
    found = told(surface_table(marked))
    assert ("which person", "people") in found
    assert ("which person", "templates") not in found


def test_clean_sets_are_hardly_ever_warned_of() -> None:
    """The stated level is 5%: of 20 sets, more than 4 are warned of with a chance below 0.3%."""
    warned = sum(bool(told(surface_table(clean(15, 2, seed=seed)))) for seed in range(20))
    assert warned <= 4


def test_chance_is_one_half_however_lopsided_the_data_are() -> None:
    """Nine of ten keys are the unknown choice: to say so always is right in 50% of both sides."""
    kept = [q for i, q in enumerate(clean(40)) if not settled(q) or i % 8 == 1]
    probe = surface_table(kept).probes[2]
    assert probe.accuracy.value == pytest.approx(0.5, abs=0.12)
    cue = [form_of_question(q) for q in kept]
    assert surface_table(cue).probes[2].accuracy.value == 1.0


def test_accuracy_and_its_interval_by_hand() -> None:
    """Ten templates of two questions: both right in 7 of them, one in 2, none in 1.

    16/20 = 0.8. Template sums of (hit - 0.8)/20: 7 x 0.02, 2 x -0.03, 1 x -0.08; squares add up to
    7 x 0.0004 + 2 x 0.0009 + 0.0064 = 0.011; x 10/9, root 0.110554. t(9) at 98.75% is 2.685011,
    so the interval is 0.8 -+ 0.296837, cut at 1.
    """
    right = np.array([1, 1] * 7 + [1, 0] * 2 + [0, 0], dtype=float)
    templates = [f"t{i // 2}" for i in range(20)]
    found = surface._accuracy(right, [np.ones(20, bool)], templates)
    assert found.value == pytest.approx(0.8)
    assert found.low == pytest.approx(0.8 - 0.296837, abs=1e-5)
    assert (found.high, found.n, found.clusters) == (1.0, 20, 10)


def test_always_right_is_not_certain() -> None:
    """Wilson's bound for 27 templates without an error, z at 98.75% = 2.241403."""
    accuracy = surface_table(map(earlier_person, clean())).probes[0].accuracy
    assert (accuracy.value, accuracy.clusters) == (1.0, 27)
    z2 = 2.241403**2
    assert accuracy.low == pytest.approx(1 - z2 / (27 + z2), abs=1e-6)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_questions_does_not_matter(rng: random.Random) -> None:
    found = [phrase_of_unknown(q) for q in clean(12, 1)]
    once = surface_table(found)
    rng.shuffle(found)
    assert surface_table(found) == once


def test_too_little_says_so() -> None:
    few = surface_table(clean(8))
    assert {p.accuracy.value for p in few.probes} == {None}
    assert "at least 10 templates" in str(few.probes[0].accuracy.undefined)
    assert surface_findings(few) == ()
    assert surface_table([]).to_dict()["questions"] == 0
    always = [q for q in clean() if not settled(q)]
    table = surface_table(always)
    assert table.probes[0].accuracy.n == 0
    assert table.probes[2].accuracy.value is None
    assert table.unknown_features == ()


def test_questions_without_an_unknown_choice_and_with_four_choices() -> None:
    """The right one of four is marked; one of the three others is drawn to compare it with."""
    rng = random.Random(4)
    found = []
    for i in range(200):
        key = rng.randrange(4)
        texts = [f"{rng.choice(PEOPLE)} {'alone' if place == key else ''}" for place in range(4)]
        found.append(SurfaceQuestion(f"q{i}", f"t{i % 20}", "Who?", tuple(texts), key, None))
    table = surface_table(found)
    assert table.probes[0].accuracy.value == 1.0
    assert table.probes[2].accuracy.n == 0


@pytest.fixture(scope="module")
def bank() -> list[Question]:
    return [TASK.annotate_question(question) for question in read_questions(None)]


def test_the_shipped_bank_gives_nothing_away(bank: list[Question]) -> None:
    table = surface_table(surfaces(bank))
    assert table.templates >= 110
    assert surface_findings(table) == ()
    for probe in table.probes:
        assert probe.accuracy.value == pytest.approx(0.5, abs=0.04)
        assert probe.accuracy.high is not None
        assert probe.accuracy.high < 0.56


def test_the_shipped_bank_with_one_assignment_only_is_caught(bank: list[Question]) -> None:
    """Without the settled questions that go against a stereotype, the Irish always did it."""
    kept = [q for q in bank if q.key in (q.task["unknown"], q.task.get("target"))]
    assert ("which person", "people") in told(surface_table(surfaces(kept)))


def test_the_probe_is_the_logistic_regression_of_another_library() -> None:
    """The same weights as scikit-learn's with C = 1 and no intercept, to three digits."""
    rng = random.Random(2)
    rows = [
        ProbeRow(f"r{i}", f"g{i}", {f"f{rng.randrange(6)}": rng.choice([1.0, 2.0]), "all": 1.0},
                 rng.random() < 0.4)
        for i in range(120)
    ]  # fmt: skip
    matrix, names = design(rows)
    sides = [1.0 if row.positive else -1.0 for row in rows]
    for balanced in (False, True):
        oracle = LogisticRegression(
            C=1.0, fit_intercept=False, tol=1e-8, class_weight="balanced" if balanced else None
        ).fit(matrix.toarray(), sides)
        found = fit(matrix, np.asarray(sides), balanced=balanced)
        assert found == pytest.approx(oracle.coef_[0], abs=2e-3)
    assert names == sorted(names)


def test_no_group_is_on_both_sides_and_the_first_fold_is_not_asked() -> None:
    """Twenty groups in ten folds: two groups are only learned from."""
    groups = [f"g{i % 20}" for i in range(100)]
    folds = fold_of(groups, 3, folds=10)
    assert all(len({int(f) for f, g in zip(folds, groups, strict=True) if g == name}) == 1
               for name in set(groups))  # fmt: skip
    rows = [ProbeRow(f"r{i}", g, {"x": 1.0}, i % 3 == 0) for i, g in enumerate(groups)]
    scores, places = held_out_scores(rows, balanced=False, seed=3)
    assert len(scores) == len(places) == 90
    assert len({groups[place] for place in places}) == 18


def test_a_feature_of_one_group_is_left_out() -> None:
    rows = [ProbeRow(f"r{i}", f"g{i % 2}", {"one": float(i % 2), f"g{i % 2}": 1.0, "both": 1.0},
                     i % 2 == 0) for i in range(8)]  # fmt: skip
    assert design(rows)[1] == ["both", "one"]
    assert weigh(rows[:1], balanced=True) == ()


@pytest.mark.parametrize(
    "changes", [{"choices": ("only one",)}, {"key": 3}, {"key": -1}, {"unknown": 3}]
)
def test_a_place_that_is_not_there_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(DataError, match="expected at least two choices, key and unknown"):
        replace(SurfaceQuestion("q", "t", "Who?", ("a", "b", "c"), 0, 2), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("warn", [0.4, 1.1])
def test_a_limit_below_chance_is_refused(warn: float) -> None:
    with pytest.raises(RecipeError, match=r"expected 0\.5 <= warn <= 1"):
        surface_findings(surface_table([]), warn=warn)
