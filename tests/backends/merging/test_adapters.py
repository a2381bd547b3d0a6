"""Adapters in, one adapter out: what PEFT makes of it, and what lies in the folder."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from judgesmith.backends.loading import load
from judgesmith.backends.merging import (
    DareLinear,
    Linear,
    NuSlerp,
    TaskArithmetic,
    Ties,
    fold_adapter,
    merge_adapters,
    merge_adapters_into,
    read_report,
)
from judgesmith.backends.origin import Origin, ReplyTokens, read_origin, write_origin
from judgesmith.errors import RecipeError
from judgesmith.models.pointwise import known_margins, write_margins

HALF = NuSlerp(weights=(0.5, 0.5))


@pytest.fixture(scope="module")
def base(base_of: Any) -> Path:
    return base_of("llama")


@pytest.fixture(scope="module")
def pair(base: Path, adapter: Any) -> list[Path]:
    """Ranks 4 and 6, rsLoRA, a pattern, and modules that only one has."""
    return [
        adapter(base, "one", seed=1, r=4, alpha_pattern={"o_proj": 3}),
        adapter(base, "two", seed=2, r=6, use_rslora=True, target_modules=["q_proj", "v_proj"]),
    ]


def deltas(base: Path, adapter: Path, weights: Any) -> dict[str, Any]:
    """What PEFT itself adds to each tensor of the base."""
    transformers, peft = load("transformers"), load("peft")
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    merged = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload().state_dict()
    return {name: merged[name] - tensor for name, tensor in weights(base).items()}


def test_peft_reads_the_merged_adapter_as_the_sum(
    base: Path, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    report = merge_adapters(pair, TaskArithmetic(weights=(0.6, 0.3)), tmp_path / "out")
    one, two = (deltas(base, path, weights) for path in pair)
    found = deltas(base, tmp_path / "out", weights)
    for name, delta in found.items():
        assert torch.allclose(delta, 0.6 * one[name] + 0.3 * two[name], atol=2e-7)
    assert {tensor.rank for tensor in report.tensors} == {4, 10}
    config = load("peft").PeftConfig.from_pretrained(tmp_path / "out")
    assert (config.r, config.lora_alpha, config.base_model_name_or_path) == (4, 4, str(base))


def test_all_weight_on_the_first_gives_the_first_back(
    base: Path, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    merge_adapters(pair, NuSlerp(weights=(1, 0)), tmp_path / "out")
    expected, found = (deltas(base, path, weights) for path in (pair[0], tmp_path / "out"))
    changed = [name for name, delta in expected.items() if delta.any()]
    assert changed
    for name in changed:
        assert torch.allclose(found[name], expected[name], atol=2e-7)


def test_the_order_of_adapters_has_no_influence(
    base: Path, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    merge_adapters(pair, NuSlerp(weights=(0.3, 0.7)), tmp_path / "forth")
    merge_adapters(pair[::-1], NuSlerp(weights=(0.7, 0.3)), tmp_path / "back")
    forth, back = (deltas(base, tmp_path / end, weights) for end in ("forth", "back"))
    assert all(torch.allclose(forth[name], back[name], atol=2e-7) for name in forth)


def test_recompression_loses_exactly_what_the_report_says(
    base: Path, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    whole = merge_adapters(pair, HALF, tmp_path / "whole")
    small = merge_adapters(pair, HALF, tmp_path / "small", rank=3)
    exact, cut = (deltas(base, tmp_path / name, weights) for name in ("whole", "small"))
    lost = total = 0.0
    for tensor in small.tensors:
        difference = float(torch.linalg.norm(exact[tensor.name] - cut[tensor.name]))
        assert tensor.rank == 3
        assert difference / tensor.norm == pytest.approx(tensor.error, abs=2e-5)
        lost, total = lost + difference**2, total + tensor.norm**2
    assert small.error == pytest.approx((lost / total) ** 0.5, abs=1e-5)
    assert whole.error is None
    assert 0.05 < (small.error or 0) < 0.9


def test_sparse_methods_need_a_rank_and_say_what_it_costs(
    base: Path, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    method = Ties(weights=(0.5, 0.5), density=0.3)
    with pytest.raises(RecipeError, match="full rank: give --rank"):
        merge_adapters(pair, method, tmp_path / "none")
    report = merge_adapters(pair, method, tmp_path / "small", rank=5)
    merge_adapters_into(pair, method, base, tmp_path / "full")
    before, full = weights(base), weights(tmp_path / "full")
    small = deltas(base, tmp_path / "small", weights)
    for tensor in report.tensors:
        exact = full[tensor.name] - before[tensor.name]
        lost = torch.linalg.norm(exact - small[tensor.name]) / torch.linalg.norm(exact)
        assert float(lost) == pytest.approx(tensor.error, abs=2e-5)
        assert tensor.kept is not None
        assert tensor.kept[0] == pytest.approx(0.3, abs=0.01)


def test_the_seed_decides_what_dare_drops(
    base: Path, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    method = DareLinear(weights=(0.5, 0.5), density=0.5)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        report = merge_adapters_into(pair, method, base, tmp_path / name, seed=seed)
        assert report.seed == seed
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_folding_equals_peft(
    base: Path, pair: list[Path], folded: Any, weights: Any, tmp_path: Path
) -> None:
    fold_adapter(pair[1], base, tmp_path / "out")
    found, expected = weights(tmp_path / "out"), weights(folded(base, pair[1]))
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in found)
    logits = []
    for folder in (tmp_path / "out", folded(base, pair[1])):
        model = load("transformers").AutoModelForCausalLM.from_pretrained(folder)
        logits.append(model(torch.arange(9)[None]).logits)
    assert torch.allclose(*logits, atol=1e-5)


def test_a_model_whose_files_name_layers_otherwise_is_folded_too(
    base_of: Any, adapter: Any, folded: Any, weights: Any, tmp_path: Path
) -> None:
    """Gemma 3 with images: the adapter's modules and the tensors of its base have other names."""
    base = base_of("gemma3-images")
    adapted = adapter(base, "inner", target_modules=r".*language_model.*\.(q_proj|down_proj)")
    assert not {f"{name}.weight" for name in modules_of(adapted)} & weights(base).keys()
    fold_adapter(adapted, base, tmp_path / "out")
    found, expected, before = (
        weights(tmp_path / "out"),
        weights(folded(base, adapted)),
        weights(base),
    )
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in found)
    changed = [name for name in found if not torch.equal(found[name], before[name])]
    assert len(changed) == 4
    merge_adapters([adapted, adapted], HALF, tmp_path / "merged")
    fold_adapter(tmp_path / "merged", base, tmp_path / "same")
    assert all(
        torch.allclose(t, found[n], atol=1e-6) for n, t in weights(tmp_path / "same").items()
    )


def modules_of(folder: Path) -> set[str]:
    names = load("safetensors.torch").load_file(folder / "adapter_model.safetensors")
    return {name.removeprefix("base_model.model.").split(".lora_")[0] for name in names}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_factors_are_stored_in_the_dtype_asked_for(
    dtype: str, pair: list[Path], weights: Any, tmp_path: Path
) -> None:
    report = merge_adapters(pair, HALF, tmp_path / "out", dtype=dtype)
    assert {str(tensor.dtype) for tensor in weights(tmp_path / "out").values()} == {
        f"torch.{dtype}"
    }
    assert report.dtype == dtype


def test_the_folder_is_complete_and_tells_what_was_done(pair: list[Path], tmp_path: Path) -> None:
    report = merge_adapters(pair, HALF, tmp_path / "out")
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names == {
        "adapter_config.json", "adapter_model.safetensors", "merge.json", "tokenizer.json",
        "tokenizer_config.json", "chat_template.jinja",
    }  # fmt: skip
    assert read_report(tmp_path / "out") == report
    assert [one.ranks for one in report.inputs] == [(4,), (6,)]
    text = (tmp_path / "out" / "merge.json").read_text()
    assert str(tmp_path) not in text
    assert str(pair[0].parent) not in text
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_signs_of_all_rows_can_be_asked_for(base_of: Any, adapter: Any, tmp_path: Path) -> None:
    paths = [adapter(base_of("llama"), f"sign-{seed}", seed=seed, target_modules=["up_proj"])
             for seed in (1, 2)]  # fmt: skip
    all_rows = merge_adapters(paths, HALF, tmp_path / "all", all_signs=True)
    assert {tensor.sign_rows for tensor in all_rows.tensors} == {40}
    assert all(0.3 < (tensor.sign_conflict or 0) < 0.7 for tensor in all_rows.tensors)


def test_a_merge_gives_the_same_bytes_again(pair: list[Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        merge_adapters(pair, HALF, tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_dialects_of_both_judges_are_the_merged_ones(
    base: Path, adapter: Any, tmp_path: Path
) -> None:
    paths = [adapter(base, f"origin-{name}", seed=3) for name in "ab"]
    for path, name in zip(paths, ("absolute", "pairwise"), strict=True):
        lengths = ReplyTokens(p50=10, p99=20 + len(name), max=40)
        write_origin(path, Origin(dialects={name: f"hash-{name}"}, base=str(base), base_hash=None,
                                  reply_tokens=lengths))  # fmt: skip
    merge_adapters(paths, HALF, tmp_path / "out")
    origin = read_origin(tmp_path / "out")
    assert origin is not None
    assert origin.dialects == {"absolute": "hash-absolute", "pairwise": "hash-pairwise"}
    assert (tmp_path / "out" / origin.base).resolve() == base.resolve()
    assert origin.reply_tokens == ReplyTokens(p50=10, p99=28, max=40)


def test_three_adapters(base: Path, pair: list[Path], adapter: Any, weights: Any,
                        tmp_path: Path) -> None:  # fmt: skip
    paths = [*pair, adapter(base, "three", seed=5, r=2)]
    report = merge_adapters(paths, Linear(weights=(2, 1, 1), missing="zero"), tmp_path / "out")
    each = [deltas(base, path, weights) for path in paths]
    found = deltas(base, tmp_path / "out", weights)
    for name, delta in found.items():
        expected = 0.5 * each[0][name] + 0.25 * each[1][name] + 0.25 * each[2][name]
        assert torch.allclose(delta, expected, atol=2e-7)
    assert len(report.tensors[0].cosines) == 3


def test_module_names_that_begin_alike_keep_their_own_ranks(
    base: Path, pair: list[Path], tmp_path: Path
) -> None:
    merge_adapters(pair, HALF, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    model = load("transformers").AutoModelForCausalLM.from_pretrained(base)
    loaded = load("peft").PeftModel.from_pretrained(model, tmp_path / "out")
    ranks = {
        name: module.r["default"] for name, module in loaded.named_modules() if hasattr(module, "r")
    }
    assert set(ranks.values()) == {4, 10}
    assert len(config["rank_pattern"]) == 4
    scalings = {
        module.scaling["default"]
        for module in loaded.modules()
        if isinstance(getattr(module, "scaling", None), dict)
    }
    assert scalings == {1.0}


def origin(dialects: dict[str, str], quantize: Any = None) -> Origin:
    return Origin(
        dialects=dialects, base="org/base", base_hash=None, reply_tokens=None, quantize=quantize
    )


def test_what_was_learned_over_four_bits_and_not_is_said(
    base_of: Any, adapter: Any, tmp_path: Path
) -> None:
    made = [adapter(base_of("llama"), f"stored-{seed}", seed=seed) for seed in (1, 2)]
    pair = [Path(shutil.copytree(path, tmp_path / path.name)) for path in made]
    for path, stored in zip(pair, ("nf4", None), strict=True):
        write_origin(path, origin({}, stored))
    half = NuSlerp(weights=(0.5, 0.5))
    (warning,) = merge_adapters(pair, half, tmp_path / "out", base="org/base").warnings
    assert warning.kind == "mixed_bases"
    assert "stored-1 in four bits (nf4), llama-stored-2 as it is" in warning.message
    write_origin(pair[1], origin({}, "nf4"))
    assert merge_adapters(pair, half, tmp_path / "same", base="org/base").warnings == ()


def test_tie_margins_go_along_and_are_said_to_be_the_inputs(
    base_of: Any, adapter: Any, tmp_path: Path
) -> None:
    """One that both inputs have, and not alike, is nobody's."""
    made = [adapter(base_of("llama"), f"margin-{seed}", seed=seed) for seed in (1, 2)]
    pair = [Path(shutil.copytree(path, tmp_path / path.name)) for path in made]
    write_origin(pair[0], origin({"grades": "h1", "chances": "h2"}))
    write_margins(pair[0], {"h1": 0.5, "h2": 0.1})
    write_margins(pair[1], {"h2": 0.2})
    half = NuSlerp(weights=(0.5, 0.5))
    report = merge_adapters(pair, half, tmp_path / "out", base="org/base")
    assert known_margins(tmp_path / "out") == {"h1": 0.5}
    assert [one.kind for one in report.warnings] == ["tie_margin_kept"] * 2
    assert "dialect 'grades': the tie margin 0.5 is the input's" in report.warnings[0].message
    assert "[0.1, 0.2], so none was kept" in report.warnings[1].message
