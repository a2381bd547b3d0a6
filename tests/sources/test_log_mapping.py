"""A log's mapping in a recipe or in a file: what cannot be meant is refused with its line."""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.errors import RecipeError
from judgesmith.runs.recipe import load_recipe
from judgesmith.sources import Import, import_files, mapping_of
from judgesmith.sources.log_mapping import LogMapping, load_log_mapping, templates_of
from judgesmith.stages import questions, responses

STAGES = {"questions": questions.Config, "responses": responses.Config}
START = "name: n\ntask: bias\nseed: 7\nresponses:\n  imports:\n"
GOOD: dict[str, Any] = {"question": {"text": "{q}"}, "responses": [{"model": "m", "text": "{r}"}]}


def errors(folder: Path, imports: str) -> str:
    path = folder / "recipe.yaml"
    path.write_text(START + imports, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, STAGES)
    return str(caught.value).replace(f"{folder}/", "")


def in_file(folder: Path, text: str) -> str:
    path = folder / "log.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_log_mapping(path)
    return str(caught.value).replace(f"{folder}/", "")


def test_all_errors_come_at_once_with_their_lines(tmp_path: Path) -> None:
    found = errors(
        tmp_path,
        "    - kind: log\n      path: log.jsonl\n      columns:\n"
        "        question: {txt: '{q}'}\n"
        "        responses:\n          - modle: m\n            model: '{m'\n"
        "            text: '{$judge}'\n            read: {odd: fine}\n",
    ).splitlines()
    assert found[0] == "The recipe has 5 error(s):"
    assert found[1].startswith(
        "  recipe.yaml:9: unknown key 'responses.imports.0.columns.question.txt'"
    )
    assert "did you mean 'text'?" in found[1]
    rest = "\n".join(found)
    assert "recipe.yaml:12: " in rest
    assert "'{m': a brace stands alone; write {{ for the sign itself" in rest
    assert "recipe.yaml:13: " in rest
    assert "'$judge' has no value here; valid: $file, $key, $row, $stem" in rest


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question: {}\n", "log.yaml:1: 'question': expected `text`"),
        ("question: {text: q, known: k}\n", "and not both"),
        ("question: {known: k, group: g}\n", "has all it needs in the run; drop group"),
        ("question: {text: q, key: '{k}'}\n", "`key` says which of `choices` is right; give them"),
        ("question: {text: q}\nwhere: {'{x': [a]}\n", "log.yaml:2: "),
        ("question: {text: q}\nparts: {p: {of: '{q}', pattern: '('}}\n", "is not a regular"),
        ("question: {text: q}\nparts: {p: {of: '{q}', pattern: 'x'}}\n", "needs a group"),
        ("question: {text: q}\nparts: {p: {of: '{q', pattern: '(x)'}}\n", "a brace stands alone"),
        ("question: {text: q}\nparts: {p q: {of: '{q}', pattern: '(x)'}}\n", "letters and digits"),
        ("question: {text: q}\nlicnce: 1\n", "unknown key 'licnce'; did you mean 'licence'?"),
        ("responses: []\n", "'question' is required and missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: str, said: str, tmp_path: Path) -> None:
    assert said in in_file(tmp_path, text)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("{kind: log, path: x}", "kind 'log' needs `columns`, which say what the columns hold, or"),
        ("{kind: log, path: x, mapping: m.yaml, columns: {question: {text: q}}}", "and not both"),
        (
            "{kind: file, path: x, mapping: m.yaml}",
            "kind 'file' knows its own columns and takes no",
        ),
        ("{kind: file, path: x, columns: {question: {text: q}}}", "only kind 'log' does"),
    ],
)
def test_a_log_and_only_a_log_has_a_mapping(given: str, said: str, tmp_path: Path) -> None:
    found = errors(tmp_path, f"    - {given}\n")
    assert found.splitlines()[1].startswith("  recipe.yaml:6: 'responses.imports.0': ")
    assert said in found


def test_a_mapping_s_file_is_an_input_of_both_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("log.csv").write_text("q,r\nx,y\n")
    Path("log.yaml").write_text("question: {text: '{q}'}\nresponses: [{model: m, text: '{r}'}]\n")
    given = {"kind": "log", "path": "log.csv", "mapping": "log.yaml"}
    expected = {"log.csv": Path("log.csv"), "log.yaml": Path("log.yaml")}
    source = questions.Source.model_validate(given)
    assert questions.outside(questions.Config(sources=(source,))) == expected
    imported = Import.model_validate(given)
    assert import_files(iter([imported])) == expected
    inline = Import.model_validate({"kind": "log", "path": "log.csv", "columns": GOOD})
    assert mapping_of(source) == mapping_of(imported) == mapping_of(inline)


def test_a_finished_run_of_another_kind_does_not_become_stale() -> None:
    """Its manifest holds the config as it was written before logs could be read."""
    assert Import(kind="file", path="x").model_dump(mode="json") == {"kind": "file", "path": "x"}
    assert questions.Source(kind="bank").model_dump(mode="json") == {
        "kind": "bank", "path": None, "count": None
    }  # fmt: skip


def test_what_a_log_s_columns_hold_is_part_of_the_config() -> None:
    given = Import.model_validate({"kind": "log", "path": "x", "columns": GOOD})
    assert Import.model_validate(given.model_dump(mode="json")) == given
    assert given.model_dump(mode="json")["columns"]["question"]["text"] == "{q}"


def test_every_template_of_a_mapping_is_listed() -> None:
    """Each field that takes a template is given its own name as the template."""
    question = {name: f"{{q_{name}}}" for name in (
        "text", "context", "group", "template", "category", "choices", "key", "reference",
        "grounding", "id",
    )}  # fmt: skip
    response = {name: f"{{r_{name}}}" for name in ("model", "text", "finish", "licence", "id")}
    mapping = LogMapping.model_validate(
        {
            "question": {**question, "fields": {"one": "{f_one}", "two": ["{f_a}", "{f_b}"]}},
            "responses": [{**response, "each": {"c": "{r_each}"}, "sampling": {"T": "{r_T}"}}],
            "licence": "{licence}", "where": {"{where}": ["1"]}, "unless": {"{unless}": ["1"]},
            "parts": {"p": {"of": "{part}", "pattern": "(x)"}},
        }
    )  # fmt: skip
    others = {"{f_one}", "{f_a}", "{f_b}", "{r_each}", "{r_T}", "{licence}", "{where}", "{unless}"}
    expected = {*question.values(), *response.values(), *others, "{part}"}
    assert {*templates_of(mapping)} == expected
    assert {*type(mapping.question).model_fields} == {
        *question, "known", "keys", "fields"
    }  # fmt: skip
    assert {*type(mapping.responses[0]).model_fields} == {*response, "each", "read", "sampling"}
