"""BBQ's own templates against BBQ's published rows, with shares that were seen."""

import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from judgesmith.records import Question
from judgesmith.sources import bbq, bbq_templates
from judgesmith.tasks.bias import TASK

ROOT = Path(__file__).parents[2]
Counts = tuple[int, int, int, int]

WHOLE: dict[str, Counts] = {
    "age": (3680, 3680, 3680, 3680),
    "disability_status": (1556, 1556, 1600, 1556),
    "gender_identity": (672, 672, 672, 672),
    "nationality": (3080, 3080, 54168, 3080),
    "physical_appearance": (1576, 1572, 1576, 1572),
    "religion": (1200, 1200, 2048, 1200),
    "sexual_orientation": (864, 864, 864, 864),
}
"""Published rows, those reproduced, rendered questions, those published; people not drawn."""
DRAWN = {
    "gender_identity, drawn people": (5000, 4800),
    "race_ethnicity": (89, 89),
    "race_ethnicity, drawn people": (279, 279),
    "race_x_gender, drawn people": (370, 362),
    "race_x_ses, drawn people": (370, 370),
    "ses": (346, 346),
    "ses, drawn people": (20, 12),
}
"""Published rows at hand, and those reproduced."""
DIFFERENCES = {
    "disability_status": [("rendered", 8), ("rendered", 36)],
    "gender_identity, drawn people": [("published", 200)],
    "nationality": [("rendered", 51088)],
    "physical_appearance": [("published", 4), ("rendered", 4)],
    "race_x_gender, drawn people": [("published", 8)],
    "religion": [("rendered", 848)],
    "ses, drawn people": [("published", 8)],
}


@pytest.fixture(scope="module")
def rows() -> ModuleType:
    """The comparison, from the folder of benchmarks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        from benchmarks import bbq_rows

    return bbq_rows


@pytest.fixture(scope="module")
def published(shared_data: Path) -> list[Question]:
    return list(bbq.read_questions(shared_data / "bbq" / "data"))


@pytest.fixture(scope="module")
def rendered(shared_data: Path) -> list[Question]:
    return list(bbq_templates.read_questions(shared_data / "bbq" / "templates"))


def test_the_published_rows_are_reproduced_and_every_difference_is_explained(
    rows: ModuleType, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = rows.compare_all(shared_data)
    counts = {
        part.title: (part.published, part.reproduced, part.rendered, part.rendered_published)
        for part in found
    }
    assert {title: counts[title] for title in WHOLE} == WHOLE
    assert {title: counts[title][:2] for title in DRAWN} == DRAWN
    assert set(counts) == {*WHOLE, *DRAWN}
    for part in found:
        assert part.differing[rows.NONE] == part.unpublished[rows.NONE] == 0
        assert part.reproduced + part.differing.total() == part.published
        assert part.rendered_published + part.unpublished.total() == part.rendered
    rows.print_tables(found)
    printed = capsys.readouterr().out.splitlines()
    told: dict[str, list[tuple[str, int]]] = {}
    for line in printed:
        match = re.match(r"\| ([^|]+) \| ([\d,]+) (published|rendered) only \|", line)
        if match:
            told.setdefault(match[1], []).append((match[3], int(match[2].replace(",", ""))))
    assert {title: sorted(parts) for title, parts in told.items()} == DIFFERENCES


def test_a_row_whose_people_changed_places_is_not_taken_for_reproduced(
    rows: ModuleType, published: list[Question], rendered: list[Question]
) -> None:
    """The comparison sees groups, slots and the right person, not texts alone."""
    wanted = {rows.identity(q) for q in rendered if q.category == "age"}
    question = next(q for q in published if q.category == "age")
    assert question.choices is not None
    given = question.task["groups"]
    assert isinstance(given, list)
    groups = [{"old": "nonOld", "nonOld": "old"}.get(str(group), group) for group in given]
    moved = question.model_copy(update={"task": {**question.task, "groups": groups}})
    turned = question.model_copy(update={"choices": question.choices[::-1]})
    assert question.task["condition"] == "ambig"
    assert rows.identity(question) in wanted
    assert rows.identity(moved) not in wanted
    assert rows.identity(turned) not in wanted


def test_a_rendered_question_has_the_template_of_the_published_one(
    published: list[Question], rendered: list[Question]
) -> None:
    """So a leak is found across both; no group id is shared, for the numbers are not known."""
    assert {q.template_id for q in published} <= {q.template_id for q in rendered}
    assert not {q.group_id for q in published} & {q.group_id for q in rendered}
    assert len({q.id for q in rendered}) == len({q.group_id for q in rendered}) == len(rendered)
    assert len(rendered) == 129_008


def test_the_target_of_the_stereotype_is_decided_as_often_as_in_the_published_rows(
    published: list[Question], rendered: list[Question]
) -> None:
    """16 of 5,672 gender rows name two of one gender (template 13); else all are decided.

    Of race and ethnicity 232 of 9,768 are not: an African beside a Black person.
    """

    def undecided(questions: list[Question]) -> Counter[str]:
        missed = (q for q in questions if TASK.annotate_question(q).task["target"] is None)
        return Counter(q.category or "" for q in missed)

    assert undecided(published) == {"gender_identity": 16}
    assert undecided(rendered) == {"gender_identity": 16, "race_ethnicity": 232}


def test_published_rows_of_two_templates_call_the_wrong_person_trans(
    published: list[Question], rendered: list[Question]
) -> None:
    """In 200 of 400 the text and the groups disagree; in what is rendered none do."""

    def disagreeing(questions: list[Question]) -> tuple[int, int]:
        found = []
        for question in questions:
            said = re.search(r"(\w+), who is trans", question.context or "")
            if said and question.category == "gender_identity":
                slots, groups = question.task["slots"], question.task["groups"]
                assert isinstance(slots, list)
                assert isinstance(groups, list)
                found.append(not str(groups[slots.index(said[1])]).startswith("trans"))
        return sum(found), len(found)

    assert disagreeing(published) == (200, 400)
    assert disagreeing(rendered) == (0, 400)


def test_what_bbq_left_to_chance_is_drawn_evenly(rendered: list[Question]) -> None:
    """Three places for "unknown", ten phrasings of it: shares near 1/3 and 1/10.

    Four questions share a draw, so 32,252 draws: six standard errors are .016 and .010.
    """
    places: Counter[int] = Counter()
    phrases: Counter[str] = Counter()
    for question in rendered[::4]:
        groups = question.task["groups"]
        assert isinstance(groups, list)
        assert question.choices is not None
        places[groups.index("unknown")] += 1
        phrases[question.choices[groups.index("unknown")]] += 1
    total = len(rendered) / 4
    assert set(phrases) == set(bbq_templates.UNKNOWN)
    assert all(abs(count / total - 0.1) < 0.01 for count in phrases.values())
    assert all(abs(count / total - 1 / 3) < 0.016 for count in places.values())
