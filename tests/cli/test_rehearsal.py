"""Rehearsals: what they change in a recipe, and that nothing of them passes for a result."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.errors import RecipeError
from judgesmith.pipeline import read_recipe, shipped_recipes
from judgesmith.records import AnnotatorKind

TINY = Path(__file__).resolve().parents[1] / "recipes" / "tiny.yaml"
FREE = {"protocol": "openai", "url": "http://127.0.0.1:9/v1", "model": "m"}
PAID = {**FREE, "price": {"input": 1.0, "output": 5.0, "as_of": "2026-11-01"}}


def tiny(folder: Path, rehearse: dict[str, Any] | None = None, **sections: Any) -> Path:
    """The tiny recipe with a generator, two teachers and a writer behind HTTP."""
    tree = yaml.safe_load(TINY.read_text())
    tree["models"] = {"gen": FREE, "big": PAID, "other": PAID}
    tree["responses"]["generators"] = [{"model": "gen"}]
    tree["labels"]["teachers"] = {"primary": "big", "panel": ["other"], "panel_items": 40}
    tree["rows"]["labels"] = "model"
    tree["preferences"] = {
        "dialect": tree["rows"]["dialect"], "labels": "model", "teacher": {"model": "big"}
    }  # fmt: skip
    if rehearse is not None:
        tree["rehearse"] = rehearse
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree | sections, sort_keys=False))
    return path


def test_models_are_simulated_at_the_rates_that_the_recipe_states(tmp_path: Path) -> None:
    rates = {"gen": {"style": "terse"}, "big": {"accuracy": 0.9, "leak_rate": 0.5}}
    path = tiny(tmp_path, {"models": rates, "sft": {"steps": 3}})
    plain = read_recipe(path)
    assert {name: s.asks for name, s in plain.sections.items() if s.asks} == {
        "responses": ("gen",), "labels": ("big", "other"), "preferences": ("big",)
    }  # fmt: skip
    assert not plain.header.rehearsed

    found = read_recipe(path, rehearse=True)
    sections: dict[str, Any] = found.sections
    assert found.header.rehearsed
    assert not found.header.models
    assert not any(section.asks for section in sections.values())
    assert sections["responses"].generators[0].simulated == {"style": "terse"}
    by_name = {spec.name: spec for spec in sections["labels"].teachers.simulated}
    assert (by_name["big"].accuracy, by_name["other"].accuracy) == (0.9, 0.85)
    assert sections["preferences"].teacher.simulated[0].leak_rate == 0.5
    assert sections["rows"].labels is sections["preferences"].labels is AnnotatorKind.SIMULATED
    assert sections["sft"].steps == 3
    assert read_recipe(path, ["sft.steps=2"], rehearse=True).sections["sft"].steps == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rates", "says"),
    [
        ({"bigg": {"accuracy": 0.9}}, "no model 'bigg'; did you mean 'big'"),
        ({"big": {"acuracy": 0.9}}, "no stage that asks 'big' knows the rate 'acuracy'"),
        ({"big": {"accuracy": 9}}, "rehearse.models.big: accuracy: .* found 9"),
        ({"big": 3}, "expected the rates of simulated models by name"),
    ],
)
def test_rates_that_cannot_be_meant(rates: Any, says: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=says):
        read_recipe(tiny(tmp_path, {"models": rates}), rehearse=True)


def test_a_mistyped_model_is_found_by_a_rehearsal_too(tmp_path: Path) -> None:
    path = tiny(tmp_path)
    with pytest.raises(RecipeError, match="did you mean 'big'"):
        read_recipe(path, ["labels.teachers.primary=bigg"], rehearse=True)


def test_a_model_in_two_roles_has_the_rates_of_both(tmp_path: Path) -> None:
    """A generator that judges, too: each role takes the rates that it knows."""
    rates = {"gen": {"style": "terse", "accuracy": 0.9, "fail_rate": 0.1}}
    path = tiny(tmp_path, {"models": rates})
    found = read_recipe(path, ["labels.teachers.panel=[gen]"], rehearse=True)
    sections: dict[str, Any] = found.sections
    assert sections["responses"].generators[0].simulated == {"style": "terse", "fail_rate": 0.1}
    (spec,) = (one for one in sections["labels"].teachers.simulated if one.name == "gen")
    assert (spec.accuracy, spec.fail_rate) == (0.9, 0.1)


def test_what_is_laid_over_may_have_a_reason(tmp_path: Path) -> None:
    size = {"width": 8, "layers": 1, "heads": 2, "vocabulary": 300, "context": 900}
    path = tiny(tmp_path, {"sft": {"value": {"student": {"value": size, "why": "x"}}, "why": "y"}})
    found: Any = read_recipe(path, rehearse=True)
    assert (found.sections["sft"].student.width, found.sections["sft"].steps) == (8, 12)


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("rehearse.sft.steps=2", "set the value itself"),
        ("rehearsed=true", "give --rehearse"),
    ],
)
def test_overrides_that_would_do_nothing(override: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=says):
        read_recipe(tiny(tmp_path), [override], rehearse=True)


def test_a_section_that_no_stage_has_is_found_without_a_rehearsal(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"rehearse\.sftt: did you mean 'sft'"):
        read_recipe(tiny(tmp_path, {"sftt": {"steps": 2}}))


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_can_be_rehearsed(name: str) -> None:
    found = read_recipe(shipped_recipes()[name], rehearse=True)
    assert not any(section.asks for section in found.sections.values())


@pytest.mark.slow
def test_a_rehearsal_by_command(command: Any, tmp_path: Path) -> None:
    """No key, no server: every stage runs, everything says what it is, and no gate passes."""
    path, folder = tiny(tmp_path), tmp_path / "run"
    done = command("run", path, "--rehearse", "--run", folder)
    assert done.returncode == 0, done.stderr
    assert "Rehearsed." in done.stdout
    assert "no result" in (folder / "report/index.html").read_text().lower()
    assert json.loads((folder / "report/report.json").read_text())["rehearsed"]
    labels = [json.loads(line) for line in (folder / "labels/labels.jsonl").open()]
    assert {row["annotator_kind"] for row in labels} == {"key", "simulated"}
    answers = [json.loads(line) for line in (folder / "responses/responses.jsonl").open()]
    assert {row["source"] for row in answers if row["model"] == "gen"} == {"simulated model gen"}
    assert not (folder / "ledger.sqlite").exists()

    status = command("status", folder)
    assert status.returncode == 0
    assert "Rehearsed." in status.stdout
    audited = command("audit", folder)
    assert "Rehearsed." in audited.stdout
    assert "a rehearsal: no model of the recipe wrote any of it" in audited.stdout
    gate = command("gate", folder, "--set", "kappa=-1", "--set", "coverage=0", "--set",
                   "consistency=0", "--set", "domain_drop=-2")  # fmt: skip
    assert gate.returncode == 3
    again = command("run", path, "--rehearse", "--run", folder)
    assert again.returncode == 0
    assert "not run yet" not in again.stdout
    real = command("run", path, "--run", folder, "--budget-usd", "1")
    assert real.returncode == 2
    assert "holds a rehearsal of recipe 'tiny', not a run" in real.stderr
