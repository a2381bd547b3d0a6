"""Recipes: strict, all errors at once, reasons kept, overrides anywhere."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from judgesmith.errors import RecipeError
from judgesmith.runs.recipe import Recipe, Section, load_recipe


class Student(Section):
    width: int = 64
    layers: int = 2


class Source(Section):
    kind: str
    count: int | None = None


class Questions(Section):
    sources: tuple[Source, ...] = ()
    extra: tuple[int, ...] = ()


class Sft(Section):
    epochs: int = 1
    rate: float = 0.1
    student: Student = Student()
    trl: dict[str, Any] = Field(default_factory=dict)


STAGES: dict[str, type[Section]] = {"questions": Questions, "sft": Sft}
HEADER = "name: n\ntask: bias\nseed: 7\n"


def load(folder: Path, body: str, *overrides: str, header: str = HEADER) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(header + body, encoding="utf-8")
    return load_recipe(path, STAGES, overrides)


def errors(folder: Path, body: str, *overrides: str, header: str = HEADER) -> str:
    with pytest.raises(RecipeError) as caught:
        load(folder, body, *overrides, header=header)
    return str(caught.value).replace(str(folder) + "/", "")


def test_a_recipe_keeps_stage_order_and_defaults(tmp_path: Path) -> None:
    found = load(tmp_path, "sft:\nquestions:\n  sources:\n    - kind: bank\n")
    assert list(found.sections) == ["questions", "sft"]
    assert found.sections["sft"] == Sft()
    assert found.sections["questions"] == Questions(sources=(Source(kind="bank"),))
    assert (found.header.name, found.header.seed) == ("n", 7)


def test_a_stage_without_a_section_is_left_out(tmp_path: Path) -> None:
    assert list(load(tmp_path, "sft: {}").sections) == ["sft"]


def test_all_errors_come_at_once_each_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    body = (
        "sfd:\n  epochs: 2\n"  # 4, 5
        "questions:\n  sources:\n    - kind: bank\n      cuont: 3\n    - count: 3\n"  # 6 to 10
        "sft:\n  epoch: 2\n  rate: fast\n  student:\n    widht: 3\n"  # 11 to 15
    )
    said = errors(tmp_path, body, header="name: n\ntask: bias\nsede: 7\n")
    assert said.splitlines() == [
        "The recipe has 8 error(s):",
        "  recipe.yaml:1: 'seed' is required and missing",
        "  recipe.yaml:3: unknown section 'sede'; did you mean 'seed'? Valid: description, "
        "dialects, models, name, questions, rehearse, rehearsed, seed, sft, task",
        "  recipe.yaml:4: unknown section 'sfd'; did you mean 'sft'? Valid: description, "
        "dialects, models, name, questions, rehearse, rehearsed, seed, sft, task",
        "  recipe.yaml:9: unknown key 'questions.sources.0.cuont'; did you mean 'count'? Valid: "
        "count, kind",
        "  recipe.yaml:10: 'questions.sources.1.kind' is required and missing",
        "  recipe.yaml:13: 'sft.rate': Input should be a valid number, unable to parse string as a "
        "number, found 'fast'",
        "  recipe.yaml:15: unknown key 'sft.student.widht'; did you mean 'width'? Valid: layers, "
        "width",
        "  recipe.yaml:12: unknown key 'sft.epoch'; did you mean 'epochs'? Valid: epochs, rate, "
        "student, trl",
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sft: 3", "recipe.yaml:4: 'sft': Input should be a valid dictionary"),
        ("sft: [1]", "recipe.yaml:4: 'sft': Input should be a valid dictionary"),
        ("sft:\n  epochs: 1.5", "recipe.yaml:5: 'sft.epochs': Input should be a valid integer"),
        ("sft:\n  epochs: null", "'sft.epochs': Input should be a valid integer, found None"),
        ("sft:\n  student: wide", "'sft.student': Input should be a valid dictionary"),
    ],
)
def test_wrong_types_say_what_was_found(body: str, said: str, tmp_path: Path) -> None:
    assert said in errors(tmp_path, body)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a mapping of sections, found ''"),
        ("- a\n- b\n", "expected a mapping of sections, found '- a"),
        ("name: [1\n", "not valid YAML"),
        ("name: n\n\ttask: x\n", "not valid YAML"),
        ("a: 1\n---\nb: 2\n", "not valid YAML"),
        ("name: *who\n", "not valid YAML"),
        ("name: n\ntask: bias\nseed: !secret 7\n", "recipe.yaml:3: '7' is not a valid value"),
        ("name: 2020-13-45\n", "recipe.yaml:1: '2020-13-45' is not a valid value: month must be"),
        ("name: n\nlist: &x [*x]\n", "refers to what holds it"),
    ],
)
def test_bad_yaml_is_an_error_for_the_user(text: str, said: str, tmp_path: Path) -> None:
    assert said in errors(tmp_path, "", header=text)


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"name: \xff\xfe")
    for name, said in (
        ("binary.yaml", "not valid YAML"),
        ("none.yaml", "found none"),
        ("", "found a folder"),
    ):
        with pytest.raises(RecipeError, match=said):
            load_recipe(tmp_path / name, STAGES)


def test_a_key_given_twice_is_refused_wherever_it_is(tmp_path: Path) -> None:
    assert "recipe.yaml:4: key 'name' is given twice" in errors(tmp_path, "name: m\n")
    body = "sft:\n  student:\n    width: 1\n    layers: 2\n    width: 3\n"
    assert "recipe.yaml:8: key 'width' is given twice" in errors(tmp_path, body)


def test_reasons_are_kept_and_taken_off_the_values(tmp_path: Path) -> None:
    body = (
        "sft:\n  epochs: {value: 3, why: three were enough}\n"
        "  student:\n    value:\n      width: {value: 8, why: small}\n    why: it fits\n"
        "questions:\n  extra: [1, {value: 2, why: two}]\n"
    )
    found = load(tmp_path, body)
    assert found.sections["sft"] == Sft(epochs=3, student=Student(width=8))
    assert found.sections["questions"] == Questions(extra=(1, 2))
    assert found.why == {
        "sft.epochs": "three were enough",
        "sft.student": "it fits",
        "sft.student.width": "small",
        "questions.extra.1": "two",
    }
    assert found.plain["sft"] == {"epochs": 3, "student": {"width": 8}}


def test_a_wrong_value_with_a_reason_still_has_its_line(tmp_path: Path) -> None:
    said = errors(tmp_path, "sft:\n  rate: 1\n  epochs:\n    value: many\n    why: more\n")
    assert "recipe.yaml:6: 'sft.epochs': Input should be a valid integer" in said


def test_a_reason_without_a_value_is_refused(tmp_path: Path) -> None:
    assert "'sft.epochs'" in errors(tmp_path, "sft:\n  epochs: {why: because}\n")


BODY = (
    "questions:\n  sources:\n    - kind: bank\n    - {kind: bbq, count: 5}\n  extra: [1, 2]\n"
    "sft:\n  epochs: {value: 3, why: w}\n  student: {value: {width: 8}, why: small}\n"
)


def test_set_reaches_nested_listed_absent_and_reasoned_values(tmp_path: Path) -> None:
    found = load(
        tmp_path, BODY, "seed=9", "sft.epochs=5", "sft.student.layers=4", "sft.rate=1e-3",
        "questions.sources.1.count=null", "questions.extra.0=7", "sft.trl.warmup.steps=[1, 2]",
    )  # fmt: skip
    assert found.header.seed == 9
    assert found.sections["questions"] == Questions(
        sources=(Source(kind="bank"), Source(kind="bbq")), extra=(7, 2)
    )
    assert found.sections["sft"] == Sft(
        epochs=5,
        rate=0.001,
        student=Student(width=8, layers=4),
        trl={"warmup": {"steps": [1, 2]}},
    )


def test_the_reason_for_an_overridden_value_goes_with_it(tmp_path: Path) -> None:
    found = load(tmp_path, BODY, "sft.epochs=5", "sft.student.layers=4")
    assert found.why == {"sft.student": "small"}


def test_set_makes_a_section_that_was_not_there(tmp_path: Path) -> None:
    assert load(tmp_path, "", "sft.epochs=2").sections == {"sft": Sft(epochs=2)}
    assert load(tmp_path, "sft:\n", "sft.epochs=2").sections == {"sft": Sft(epochs=2)}


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sft.epochs", "expected key.path=value, for example sft.epochs=2"),
        ("=3", "expected key.path=value"),
        ("sft.epochs=[", "the value is not valid YAML"),
        ("sft.epoch=2", "unknown key 'sft.epoch'; did you mean 'epochs'?"),
        ("sfd.epochs=2", "unknown section 'sfd'; did you mean 'sft'?"),
        ("sft.epochs=many", "'sft.epochs': Input should be a valid integer"),
        ("name.first=x", "there is no 'name' in the recipe to set into"),
        ("questions.sources.2.kind=x", "there is no '2' in the recipe to set into"),
        ("questions.sources.first.kind=x", "there is no 'first' in the recipe to set into"),
        ("questions.extra.2=1", "expected a position below 2"),
        ("questions.extra.-1=1", "expected a position below 2"),
        ("questions.extra.²=1", "expected a position below 2"),
        ("questions.extra.0.kind=x", "there is no '0' in the recipe to set into"),
        ("questions.sources.0.kind.x=1", "there is no 'kind' in the recipe to set into"),
        ("seed=", "'seed': Input should be a valid integer, found None"),
    ],
)
def test_a_bad_override_is_named(override: str, said: str, tmp_path: Path) -> None:
    assert said in errors(tmp_path, BODY, override)


def test_bad_overrides_and_bad_keys_come_together(tmp_path: Path) -> None:
    said = errors(tmp_path, "sft:\n  epoch: 1\n", "sft.rate", "seed=x")
    assert "The recipe has 3 error(s)" in said


def test_a_key_that_was_pasted_in_is_not_shown(tmp_path: Path) -> None:
    """Not with the section in which something else is wrong."""
    model = (
        "models:\n  m: {protocol: openai, url: 'http://h.example', model: m, key_env: sk-secret}\n"
    )
    said = errors(tmp_path, model)
    assert "models.m" in said
    assert "sk-secret" not in said


def test_a_wrong_price_is_one_error(tmp_path: Path) -> None:
    """What is wrong with the other way to give a price is not said."""
    model = (
        "models:\n  m: {protocol: openai, url: 'http://h.example', model: m, "
        "price: {input: x, output: 2, as_of: 2026-01-01}}\n"
    )
    said = errors(tmp_path, model)
    assert "The recipe has 1 error(s)" in said
    assert "'models.m.price.input'" in said


class Sized(Section):
    width: int = 64


class Trained(Section):
    student: str | Sized


@pytest.mark.parametrize(
    ("student", "said"),
    [
        ("{width: wide}", ["'sft.student.width': Input should be a valid integer"]),
        ("{wide: 3}", ["unknown key 'sft.student.wide'; did you mean 'width'"]),
        (
            "5",
            ["'sft.student': Input should be a valid str", "'sft.student': Input should be a va"],
        ),
    ],
)
def test_the_members_of_a_union_are_no_part_of_a_name(
    tmp_path: Path, student: str, said: list[str]
) -> None:
    """And only the member that was meant is spoken of."""
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{HEADER}sft:\n  student: {student}\n", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path, {"sft": Trained})
    _, *lines = str(caught.value).splitlines()
    assert len(lines) == len(said)
    assert all(part in line for part, line in zip(said, lines, strict=True)), lines


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_is_no_recipe(tmp_path: Path, text: str) -> None:
    with pytest.raises(RecipeError, match="expected a mapping of sections"):
        load(tmp_path, text, header="")
