"""Merges written for mergekit: what is taken, and what is refused with a reason."""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.merging import Linear, NuSlerp, TaskArithmetic, Ties
from judgesmith.backends.merging.mergekit_yaml import plan_of, read_plan
from judgesmith.errors import RecipeError


def config(method: str = "linear", **more: Any) -> dict[str, Any]:
    models = [{"model": name, "parameters": {"weight": w}} for name, w in (("a", 1), ("b", 3))]
    return {"merge_method": method, "models": models, **more}


@pytest.mark.parametrize(
    ("given", "method"),
    [
        (config(), Linear(weights=(1, 3), missing="zero")),
        (config("nuslerp"), NuSlerp(weights=(1, 3), missing="zero")),
        (
            config("nuslerp", parameters={"nuslerp_flatten": False}),
            NuSlerp(weights=(1, 3), granularity="row", missing="zero"),
        ),
        (
            config("nuslerp", parameters={"nuslerp_flatten": False, "nuslerp_row_wise": True}),
            NuSlerp(weights=(1, 3), granularity="column", missing="zero"),
        ),
        (
            config("task_arithmetic", parameters={"lambda": 0.5}, base_model="c"),
            TaskArithmetic(weights=(1, 3), scale=0.5),
        ),
        (
            config("ties", parameters={"density": 0.2, "normalize": False}, base_model="c"),
            Ties(weights=(1, 3), density=(0.2, 0.2), normalize=False),
        ),
    ],
)
def test_methods_and_their_settings(given: dict[str, Any], method: Any) -> None:
    assert plan_of(given).method == method


def test_adapters_over_one_base_and_the_base_among_the_models(tmp_path: Path) -> None:
    file = tmp_path / "merge.yml"
    file.write_text(
        "merge_method: ties\nbase_model: org/base\nout_dtype: bfloat16\ndtype: float32\n"
        "models:\n- model: org/base\n"
        "- model: org/base+one\n  parameters: {weight: 1, density: .3}\n"
        "- model: org/base+two\n  parameters: {weight: 2, density: .4}\n"
    )
    plan = read_plan(file)
    assert (plan.paths, plan.adapters, plan.base) == (("one", "two"), True, "org/base")
    assert plan.method == Ties(weights=(1, 2), density=(0.3, 0.4))
    assert plan.dtype == "bfloat16"
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (config("slerp"), "merge_method 'slerp' is not supported"),
        (config(slices=[]), "slices stacks layers"),
        (config(tokenizer={"source": "union"}), "one tokenizer"),
        (config(chat_template="chatml"), "one chat template"),
        (config(merge_metod="x"), "did you mean 'merge_method'"),
        (config(parameters={"weight": [0, 1]}), "by layer or by tensor name"),
        ({"merge_method": "linear", "models": ["a", "b"]}, "expected a list of {model"),
        ({"merge_method": "linear", "models": [{"model": "a"}, {"model": "b"}]}, "needs a weight"),
        (
            {"merge_method": "linear", "models": [
                {"model": "x+a", "parameters": {"weight": 1}},
                {"model": "y+b", "parameters": {"weight": 1}},
            ]},
            "adapter of one base",
        ),
    ],
)  # fmt: skip
def test_what_is_refused(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        plan_of(given)


@pytest.mark.parametrize("text", ["- a list\n", "{", "a: \x00"])
def test_a_file_that_is_no_merge(text: str, tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(text)
    with pytest.raises(RecipeError, match=r"m\.yaml: expected"):
        read_plan(file)
