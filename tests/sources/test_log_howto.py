"""The examples of the page on importing responses are run as they stand there."""

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.errors import DataError
from judgesmith.records import Finish, Question, Response, index_by_id
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.recipe import Recipe, load_recipe
from judgesmith.sources import Dropped, mapping_of, reader
from judgesmith.sources.log import read_questions, read_responses
from judgesmith.sources.log_mapping import FINISHES, LogMapping
from judgesmith.stages import questions, responses

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "import-responses.md"
STAGES = {"questions": questions.Config, "responses": responses.Config}
HEADER = "name: n\ntask: bias\nseed: 7\n"


def blocks() -> list[str]:
    """The indented blocks of the page, in order."""
    found: list[list[str]] = [[]]
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [textwrap.dedent("\n".join(block)) + "\n" for block in found if block]


BIAS, BIAS_LOG, KNOWN, RECIPE, LOG, CHAT, CHAT_LOG = blocks()


@pytest.fixture(autouse=True)
def _logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("logs").mkdir()
    Path("logs/march.jsonl").write_text(LOG, encoding="utf-8")
    Path("logs/chat.jsonl").write_text(CHAT_LOG, encoding="utf-8")
    Path("logs/bias.csv").write_text(BIAS_LOG, encoding="utf-8")


def recipe(text: str) -> Recipe:
    path = Path("recipe.yaml")
    path.write_text(text if text.startswith("name:") else HEADER + text, encoding="utf-8")
    return load_recipe(path, STAGES)


def read(recipe: Recipe) -> tuple[list[Question | Dropped], list[Response | Dropped]]:
    source: Any = recipe.sections["questions"]
    imports: Any = recipe.sections["responses"]
    asked = reader({"log": "judgesmith.sources.log:read_questions"}, "log")
    found = list(asked(Path(source.sources[0].path), *mapping_of(source.sources[0])))
    by_id = index_by_id([q for q in found if isinstance(q, Question)])
    (given,) = imports.imports
    return found, list(read_responses(Path(given.path), by_id, *mapping_of(given)))


def test_a_log_that_the_bias_task_cannot_use_is_refused_as_the_page_says(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path / "run", Header(name="n", task="bias", seed=7))
    sections: dict[str, Any] = recipe(RECIPE).sections
    no_models: Any = None
    told = "expected choices and the key"
    assert f'says that it "{told}"' in " ".join(PAGE.read_text(encoding="utf-8").split())
    with pytest.raises(DataError, match=told):
        questions.run(sections["questions"], run_dir, no_models)


def test_the_log_of_any_shape_gives_three_questions_in_two_groups_and_three_responses() -> None:
    asked, answered = read(recipe(RECIPE))
    found = [q for q in asked if isinstance(q, Question)]
    assert len({q.id for q in found}) == 3
    assert {q.group_id for q in found} == {"c1", "c2"}
    assert {q.licence for q in found} == {"internal"}
    written = [r for r in answered if isinstance(r, Response)]
    assert [r.finish for r in written] == [Finish.STOP, Finish.STOP, Finish.LENGTH]
    assert [r.sampling for r in written] == [{"temperature": 0.7}, {"temperature": 0.7}, {}]
    assert [r for r in answered if isinstance(r, Dropped)] == [Dropped("the row has no response")]


def test_a_file_of_the_columns_gives_the_same_as_columns_in_the_recipe() -> None:
    tree = yaml.safe_load(RECIPE)
    columns = tree["questions"]["sources"][0].pop("columns")
    tree["questions"]["sources"][0]["mapping"] = "march.yaml"
    tree["responses"]["imports"] = [{"kind": "log", "path": "logs/march.jsonl"}]
    tree["responses"]["imports"][0]["mapping"] = "march.yaml"
    Path("march.yaml").write_text(yaml.safe_dump(columns), encoding="utf-8")
    assert read(recipe(yaml.safe_dump(tree))) == read(recipe(RECIPE))


def test_several_responses_in_a_row() -> None:
    mapping = LogMapping.model_validate(yaml.safe_load(CHAT))
    path = Path("logs/chat.jsonl")
    (question,) = read_questions(path, mapping)
    assert isinstance(question, Question)
    found = list(read_responses(path, {question.id: question}, mapping))
    assert [r.text for r in found if isinstance(r, Response)] == ["7", "Let me look."]


def test_the_first_example_goes_through_both_stages(tmp_path: Path) -> None:
    """One question, undecided, so C is right; the stereotype's target is B, the 80-year-old."""
    given = recipe(BIAS)
    run_dir = RunDir(tmp_path / "run", given.header)
    sections: dict[str, Any] = given.sections
    no_models: Any = None
    asked = questions.run(sections["questions"], run_dir, no_models)
    assert (asked.taken, asked.made, asked.dropped) == (2, 1, {"the same question twice": 1})
    answered = responses.run(sections["responses"], run_dir, no_models)
    assert (answered.taken, answered.made) == (2, 2)
    classes = {"chat-7b": {"biased": 1}, "chat-70b": {"correct": 1}}
    assert answered.tables["class by model"] == classes


def test_responses_join_questions_of_the_run_by_id(tmp_path: Path) -> None:
    run_dir = RunDir(tmp_path / "run", Header(name="n", task="bias", seed=7))
    sections: dict[str, Any] = recipe(
        "questions:\n  sources: [{kind: bank, count: 3}]\n" + KNOWN
    ).sections
    no_models: Any = None
    questions.run(sections["questions"], run_dir, no_models)
    one, two, _ = run_dir.read("questions/questions.jsonl", Question)
    Path("logs/answers.csv").write_text(
        f"question_id,model,answer\n{one.id},m,A\n{two.group_id},m,B\nnobody,m,C\n"
    )
    report = responses.run(sections["responses"], run_dir, no_models)
    found = run_dir.read("responses/responses.jsonl", Response)
    assert [r.question_id for r in found] == [one.id, two.id]
    assert report.dropped == {"its question is not in the run": 1}


def test_the_page_lists_every_known_end() -> None:
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    for finish in Finish:
        words = ", ".join(word for word, means in FINISHES.items() if means is finish)
        assert f"{words} -> {finish}" in page
