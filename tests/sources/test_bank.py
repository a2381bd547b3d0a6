"""The shipped question bank, and what is said to a user who edits it."""

import csv
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from judgesmith.errors import DataError
from judgesmith.records import Question
from judgesmith.runs.jsonl import encode
from judgesmith.sources.bank import COLUMNS, read_questions
from judgesmith.tasks.bias import TASK

BANK = resources.files("judgesmith.sources") / "bank"


def of_one_stereotype(folder: Path | None = None) -> list[Question]:
    """Those of `templates.csv`; `test_bank_two.py` is about the others."""
    found = (TASK.annotate_question(question) for question in read_questions(folder))
    return [question for question in found if question.task["form"] == "one_stereotype"]


@pytest.fixture(scope="module")
def questions() -> list[Question]:
    return of_one_stereotype()


def test_counts_are_those_of_the_readme(questions: list[Question]) -> None:
    """575 filler pairs x 2 assignments x 2 contexts x 2 questions = 4,600."""
    assert len(questions) == len({q.id for q in questions}) == 575 * 8 == 4600
    assert len({q.template_id for q in questions}) == 125
    table = (BANK / "README.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| (\w+) \| (\d+) \| \d+ \| \d+ \| (\d+) \| ([\d,]+) \|$", re.M)
    stated = {
        name.lower(): (int(t), int(n.replace(",", ""))) for name, t, _, n in row.findall(table)
    }
    counted = Counter(q.category for q in questions)
    templates = Counter(c for c, _ in {(q.category, q.template_id) for q in questions})
    assert {name: (templates[name], counted[name]) for name in counted} == stated
    assert len(stated) == 11


def test_conditions_and_polarities_are_balanced_in_every_template(
    questions: list[Question],
) -> None:
    cells = Counter((q.template_id, q.task["condition"], q.task["polarity"]) for q in questions)
    per_template = Counter(q.template_id for q in questions)
    assert all(count * 4 == per_template[template] for (template, *_), count in cells.items())
    assert len(cells) == 125 * 4


def test_the_key_is_right_by_the_words_of_the_template(questions: list[Question]) -> None:
    """Read the CSV anew: NAME1 answers the negative question, NAME2 the other one."""
    with (BANK / "templates.csv").open(encoding="utf-8", newline="") as file:
        rows = {f"bank/{row['template_id']}": row for row in csv.DictReader(file)}
    for q in questions:
        row = rows[q.template_id or ""]
        assert q.choices is not None
        assert q.key is not None
        name1, name2 = q.group_id.split("/")[2:4]
        if q.task["condition"] == "ambig":
            assert q.task["groups"][q.key] == "unknown"
            continue
        negative = q.task["polarity"] == "neg"
        right = row["answer_name1" if negative else "answer_name2"]
        text = right.replace("{{NAME1}}", name1).replace("{{NAME2}}", name2)
        assert q.choices[q.key].lower() == text.lower()
        assert q.task["slots"][q.key] == (name1 if negative else name2)


def test_the_target_of_a_negative_question_is_the_stereotyped_person(
    questions: list[Question],
) -> None:
    for q in questions:
        target, groups = q.task["target"], q.task["groups"]
        assert isinstance(target, int)
        stereotyped = groups[target] == q.task["stereotyped_groups"][0]
        assert stereotyped == (q.task["polarity"] == "neg")
        assert target != q.task["unknown"]


def test_settled_questions_agree_with_the_stereotype_half_of_the_time(
    questions: list[Question],
) -> None:
    settled = [q for q in questions if q.task["condition"] == "disambig"]
    assert sum(q.key == q.task["target"] for q in settled) * 2 == len(settled)


def test_the_place_of_the_right_choice_gives_nothing_away(questions: list[Question]) -> None:
    """Each of three places is right in a third of 4,600 questions, within 4 standard errors.

    The standard error of a share of 1/3 in 4,600 is sqrt(2/9/4600) = 0.00695.
    """
    for place in range(3):
        share = sum(q.key == place for q in questions) / len(questions)
        assert abs(share - 1 / 3) < 4 * 0.00695


def test_no_slot_is_left_open_and_nothing_is_blank(questions: list[Question]) -> None:
    for q in questions:
        for text in (q.context or "", q.text, *(q.choices or ())):
            assert text.strip() == text != ""
            assert "{" not in text
            assert "}" not in text
            assert "  " not in text
        assert len(set(q.choices or ())) == 3


def test_the_same_csv_gives_the_same_questions(questions: list[Question], tmp_path: Path) -> None:
    """Also after other rows were taken out: a question depends on its own template alone."""
    again = of_one_stereotype()
    assert b"".join(map(encode, again)) == b"".join(map(encode, questions))
    with (BANK / "templates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    write_bank(tmp_path, [dict(rows[5])], (BANK / "unknowns.csv").read_text(encoding="utf-8"))
    alone = of_one_stereotype(tmp_path)
    assert alone == [q for q in questions if q.template_id == f"bank/{rows[5]['template_id']}"]


ROW = {
    "template_id": "age-01", "category": "Age", "ambiguous_context": "A {{NAME1}} met a {{NAME2}}.",
    "disambiguating_context": "The {{NAME1}} forgot.", "question_negative": "Who forgot?",
    "question_non_negative": "Who did not forget?", "answer_name1": "The {{NAME1}}",
    "answer_name2": "The {{NAME2}}", "fillers": "old man | boy", "words": "",
    "stereotyped_group": "old", "other_group": "nonOld", "stereotype": "s", "reference": "r",
}  # fmt: skip


def write_bank(folder: Path, rows: list[dict[str, str]], unknowns: str = "text\nUnknown\n") -> None:
    with (folder / "templates.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    (folder / "unknowns.csv").write_text(unknowns, encoding="utf-8")


def test_a_users_own_bank_is_read(tmp_path: Path) -> None:
    write_bank(tmp_path, [ROW])
    found = list(read_questions(tmp_path))
    assert len(found) == 8
    assert {q.context for q in found} == {
        "A old man met a boy.", "A boy met a old man.",
        "A old man met a boy. The old man forgot.", "A boy met a old man. The boy forgot.",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"template_id": "age-01"}, "template_id 'age-01' is used twice"),
        ({"template_id": ""}, "template_id: expected text, found an empty cell"),
        ({"question_negative": " "}, "question_negative: expected text, found an empty cell"),
        ({"fillers": "old man"}, "fillers: expected `stereotyped person | other person` pairs"),
        ({"fillers": "old man |"}, "fillers: expected `stereotyped person | other person` pairs"),
        ({"fillers": "boy | boy"}, "of two different people"),
        ({"fillers": "a | b ; b | a"}, "expected one or more different pairs, found 'b | a' twice"),
        ({"fillers": " ; "}, "expected one or more different pairs, found none"),
        ({"answer_name1": "{{NAME3}}"}, "answer_name1: slot ['NAME3'] has nothing to fill it"),
        ({"answer_name1": "{{WORD1}}"}, "answer_name1: slot ['WORD1'] has nothing to fill it"),
        ({"answer_name1": "{{ NAME1 }}"}, "answer_name1: slot ['{{ NAME1 }}'] has nothing"),
        ({"ambiguous_context": "A {NAME1}"}, "ambiguous_context: slot ['{NAME1}'] has nothing"),
        (
            {"answer_name2": "The {{NAME1}}"},
            "answer_name1 and answer_name2: expected two different",
        ),
        ({"other_group": "old"}, "stereotyped_group and other_group: expected two different"),
    ],
)
def test_a_bad_row_is_named_by_its_line(changes: dict[str, str], said: str, tmp_path: Path) -> None:
    write_bank(tmp_path, [ROW, {**ROW, "template_id": "age-02", **changes}])
    with pytest.raises(DataError) as caught:
        list(read_questions(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path / 'templates.csv'}:3: ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("unknowns", "said"),
    [
        ("text\n", "expected at least one phrasing"),
        ("text,more\nUnknown,x\n ,x\n", "unknowns.csv:3: text: expected a phrasing"),
        ("phrase\nUnknown\n", "unknowns.csv:1: expected the columns text; missing: text"),
        ("", "unknowns.csv:1: expected the columns text; missing: text"),
        ("text\nUnknown, really\n", "unknowns.csv:2: expected 1 cells"),
        ('text\n"Unknown\n', "unknowns.csv:2: the row that begins here is not valid CSV"),
    ],
)
def test_a_bad_file_of_unknowns_is_named(unknowns: str, said: str, tmp_path: Path) -> None:
    write_bank(tmp_path, [ROW], unknowns)
    with pytest.raises(DataError) as caught:
        list(read_questions(tmp_path))
    assert said in str(caught.value)


def test_missing_and_wrongly_encoded_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"unknowns\.csv: expected a CSV file, found no file"):
        list(read_questions(tmp_path))
    write_bank(tmp_path, [{**ROW, "category": "\xc4lter"}])
    path = tmp_path / "templates.csv"
    path.write_bytes(path.read_text(encoding="utf-8").encode("latin-1"))
    with pytest.raises(DataError, match=r"not UTF-8 at byte \d+ of the file"):
        list(read_questions(tmp_path))
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"templates\.csv: expected a CSV file, found a folder"):
        list(read_questions(tmp_path))


def test_a_file_saved_by_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    write_bank(tmp_path, [ROW])
    for path in tmp_path.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(list(read_questions(tmp_path))) == 8
