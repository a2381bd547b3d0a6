"""Defect 18: merge settings that silently do nothing.

Found in mergekit: density 1 by default, so that TIES trims nothing and DARE drops nothing; a method
that collapses to the base; one whose step is always zero. Planted here: settings and inputs of that
kind, each named in a warning. A merge that does what it says has none.
"""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.loading import load
from judgesmith.backends.merging import (
    DareLinear,
    DareTies,
    Linear,
    MergeMethod,
    NuSlerp,
    TaskArithmetic,
    Ties,
    merge_adapters,
    merge_adapters_into,
    merge_models,
)
from judgesmith.backends.merging.mergekit_yaml import plan_of
from judgesmith.backends.merging.methods import Sparse

W = (0.5, 0.5)
MODULES = ("model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj")


def write_adapter(
    folder: Path, seed: int, *, modules: tuple[str, ...] = MODULES, factor: float = 1.0
) -> Path:
    """An adapter whose B is scaled by `factor`; 0 is an adapter that was never trained."""
    import json

    torch = load("torch")
    draw = torch.Generator().manual_seed(seed)
    tensors = {}
    for module in modules:
        start = f"base_model.model.{module}.lora_"
        tensors[f"{start}A.weight"] = torch.randn(3, 8, generator=draw)
        tensors[f"{start}B.weight"] = torch.randn(8, 3, generator=draw) * factor
    folder.mkdir()
    load("safetensors.torch").save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 3, "lora_alpha": 3,
        "base_model_name_or_path": "org/base", "target_modules": ["q_proj", "up_proj"],
    }  # fmt: skip
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def write_model(folder: Path, weights: dict[str, Any]) -> None:
    folder.mkdir()
    load("safetensors.torch").save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text("{}")


@pytest.fixture
def judges(tmp_path: Path) -> list[Path]:
    return [write_adapter(tmp_path / name, seed) for seed, name in enumerate(("one", "two"))]


def kinds(judges: list[Path], method: MergeMethod, rank: int | None = None) -> list[str]:
    if isinstance(method, Sparse) and rank is None:
        rank = 4
    report = merge_adapters(judges, method, judges[0].parent / "out", rank=rank)
    assert all(one.message and one.remedy for one in report.warnings)
    return [one.kind for one in report.warnings]


@pytest.mark.parametrize(
    "method",
    [
        NuSlerp(weights=W),
        NuSlerp(weights=(0.2, 0.8), granularity="row"),
        Linear(weights=W),
        TaskArithmetic(weights=W),
        Ties(weights=W, density=0.5),
        DareLinear(weights=W, density=0.5),
        DareTies(weights=W, density=(0.5, 0.4)),
    ],
)
def test_a_merge_that_does_what_it_says_has_no_warning(
    method: MergeMethod, judges: list[Path]
) -> None:
    assert kinds(judges, method) == []


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        (Ties(weights=W, density=1), "density_one"),
        (Ties(weights=W, density=(0.5, 1)), "density_one"),
        (DareLinear(weights=W, density=1), "density_one"),
        (DareTies(weights=W, density=1), "density_one"),
        (DareLinear(weights=W, density=0.5, rescale="none"), "not_rescaled"),
        (Ties(weights=W, density=0.001), "one_entry_kept"),
        (NuSlerp(weights=(1, 1)), "only_ratio_counts"),
        (Linear(weights=(0.2, 0.2)), "only_ratio_counts"),
        (NuSlerp(weights=(1, 0)), "weight_zero"),
        (TaskArithmetic(weights=W, scale=0), "scale_zero"),
        (TaskArithmetic(weights=(1.5, 1.5)), "longer_than_inputs"),
    ],
)
def test_a_setting_without_the_effect_of_its_name_is_caught(
    method: MergeMethod, expected: str, judges: list[Path]
) -> None:
    assert expected in kinds(judges, method)


def test_a_judge_given_twice_is_caught(judges: list[Path], tmp_path: Path) -> None:
    write_adapter(tmp_path / "copy", seed=0)
    found = kinds([judges[0], tmp_path / "copy"], NuSlerp(weights=W))
    assert found == ["equal_inputs", "near_parallel"]


def test_a_judge_that_was_never_trained_is_caught(judges: list[Path], tmp_path: Path) -> None:
    write_adapter(tmp_path / "untrained", seed=5, factor=0)
    assert "zero_input" in kinds([judges[0], tmp_path / "untrained"], NuSlerp(weights=W))


def test_deltas_that_one_judge_does_not_have_are_said(judges: list[Path], tmp_path: Path) -> None:
    write_adapter(tmp_path / "half", seed=6, modules=MODULES[:1])
    report = merge_adapters([judges[0], tmp_path / "half"], NuSlerp(weights=W), tmp_path / "out")
    assert [one.kind for one in report.warnings] == ["missing_delta"]
    assert "in 1 of 2 tensors half changed nothing" in report.warnings[0].message
    lone = next(one for one in report.tensors if "up_proj" in one.name)
    assert lone.coefficients == (1.0, 0.0), "0.707 would be the undocumented bias"


def test_each_judge_is_told_of_the_deltas_that_it_lacks(tmp_path: Path) -> None:
    """Each lacks one; what can be set is said, where the method has a setting."""
    pair = [write_adapter(tmp_path / m[-6:], 7, modules=(m,)) for m in MODULES]
    (found,) = merge_adapters(pair, NuSlerp(weights=W), tmp_path / "a").warnings
    assert "in 1 of 2 tensors q_proj changed nothing (first: model.layers.0.mlp" in found.message
    assert ", in 1 of 2 tensors p_proj changed nothing (first: model.layers.0.self" in found.message
    assert "set `missing: zero`" in found.remedy
    (added,) = merge_adapters(pair, TaskArithmetic(weights=W), tmp_path / "b").warnings
    assert "with their own weights alone" in added.message
    assert "missing" not in added.remedy


def test_judges_that_point_against_each_other_are_caught(
    judges: list[Path], tmp_path: Path
) -> None:
    write_adapter(tmp_path / "against", seed=0, factor=-1.0)
    assert "opposed" in kinds([judges[0], tmp_path / "against"], NuSlerp(weights=W))


def test_a_rank_that_compresses_nothing_is_caught(judges: list[Path]) -> None:
    assert kinds(judges, NuSlerp(weights=W), rank=6) == []
    for file in (judges[0].parent / "out").iterdir():
        file.unlink()
    assert kinds(judges, NuSlerp(weights=W), rank=7) == ["rank_not_needed"]


def test_turning_whole_weights_instead_of_deltas_is_caught(tmp_path: Path) -> None:
    """Two light trainings of one base: their weights are parallel, their deltas are not."""
    torch = load("torch")
    folders = [tmp_path / name for name in ("base", "one", "two")]
    for seed, folder in enumerate(folders):
        draw = torch.Generator().manual_seed(0)
        weight = torch.randn(60, 50, generator=draw)
        if seed:
            weight += 1e-3 * torch.randn(60, 50, generator=draw.manual_seed(seed))
        write_model(folder, {"model.norm.weight": weight})
    base, *models = folders
    bare = merge_models(models, None, NuSlerp(weights=W), tmp_path / "bare")
    assert [one.kind for one in bare.warnings] == ["near_parallel"]
    assert "Give --base" in bare.warnings[0].remedy
    deltas = merge_models(models, base, NuSlerp(weights=W), tmp_path / "deltas")
    assert deltas.warnings == ()
    assert deltas.tensors[0].coefficients[0] == pytest.approx(0.707, abs=0.02)
    assert bare.tensors[0].coefficients[0] == pytest.approx(0.5, abs=0.001)


def test_what_is_written_for_mergekit_keeps_its_defaults_and_says_so(
    judges: list[Path], tmp_path: Path
) -> None:
    """Density is 1 where nothing is said; row_wise does nothing while flatten is true."""
    config: dict[str, Any] = {
        "merge_method": "dare_ties", "base_model": "org/base", "dtype": "bfloat16",
        "parameters": {"int8_mask": True},
        "models": [{"model": f"org/base+{path}", "parameters": {"weight": 0.5}} for path in judges],
    }  # fmt: skip
    plan = plan_of(config)
    assert plan.method == DareTies(weights=W, density=(1.0, 1.0), rescale="norm")
    assert [one.kind for one in plan.warnings] == ["ignored_parameter", "computed_in_float32"]
    report = merge_adapters(plan.paths, plan.method, tmp_path / "out", rank=2, base=plan.base)
    assert "density_one" in [one.kind for one in report.warnings]
    turned = plan_of({
        "merge_method": "nuslerp", "parameters": {"nuslerp_row_wise": True},
        "models": [{"model": name, "parameters": {"weight": 1}} for name in "ab"],
    })  # fmt: skip
    assert [one.kind for one in turned.warnings] == [
        "weights_not_deltas", "row_wise_without_effect"
    ]  # fmt: skip


def test_folding_warns_as_merging_does(judges: list[Path], tmp_path: Path) -> None:
    base = tmp_path / "base"
    write_model(base, {f"{module}.weight": load("torch").ones(8, 8) for module in MODULES})
    method = DareTies(weights=W, density=1)
    report = merge_adapters_into(judges, method, base, tmp_path / "full")
    assert [one.kind for one in report.warnings] == ["density_one"]
