"""What cannot be merged is refused with a reason, before anything is written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from judgesmith.backends.loading import load
from judgesmith.backends.merging import (
    Linear,
    NuSlerp,
    TaskArithmetic,
    Ties,
    fold_adapter,
    merge_adapters,
    merge_adapters_into,
    merge_models,
    parse_method,
)
from judgesmith.backends.origin import Origin, write_origin
from judgesmith.errors import DataError, JudgesmithError, ModelError, RecipeError

HALF = NuSlerp(weights=(0.5, 0.5))
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def base(base_of: Any) -> Path:
    return base_of("llama")


@pytest.fixture
def pair(base: Path, adapter: Any, tmp_path: Path) -> list[Path]:
    """Two adapters that the test may spoil."""
    made = [adapter(base, f"good-{seed}", seed=seed, target_modules=["q_proj"]) for seed in (1, 2)]
    return [Path(shutil.copytree(path, tmp_path / path.name)) for path in made]


@pytest.fixture
def models(base: Path, tmp_path: Path) -> list[Path]:
    """Two models that the test may spoil."""
    return [Path(shutil.copytree(base, tmp_path / f"model-{n}")) for n in (1, 2)]


def tensors_of(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the tensors of a folder's one weight file."""
    file = next(folder.glob("*.safetensors"))
    tensors = load("safetensors.torch").load_file(file)
    change(tensors)
    load("safetensors.torch").save_file(tensors, file)


def config_of(name: str = "adapter_config.json", **values: Any) -> Change:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**content, **values}))

    return change


def nan_in_factor(folder: Path) -> None:
    tensors_of(folder, lambda held: next(iter(held.values())).view(-1)[3:4].fill_(float("nan")))


def extra(name: str) -> Change:
    return lambda folder: tensors_of(folder, lambda held: held.update({name: torch.zeros(2, 2)}))


def cut_short(folder: Path) -> None:
    file = next(folder.glob("*.safetensors"))
    file.write_bytes(file.read_bytes()[:-100])


def one_factor_gone(folder: Path) -> None:
    tensors_of(folder, lambda held: held.pop(next(iter(held))))


ADAPTERS: dict[str, tuple[Change, str]] = {
    "another base": (config_of(base_model_name_or_path="org/other"), "its base is 'org/other'"),
    "another revision": (config_of(revision="v2"), "differ in revision"),
    "another task": (config_of(task_type="SEQ_CLS"), "differ in task_type"),
    "not LoRA": (config_of(peft_type="IA3"), "expected peft_type LORA, found 'IA3'"),
    "DoRA": (config_of(use_dora=True), "DoRA scales the merged weight"),
    "whole modules": (config_of(modules_to_save=["lm_head"]), "replaces whole modules"),
    "biases": (config_of(bias="all"), "trained biases"),
    "changed base": (config_of(init_lora_weights="pissa_niter_4"), "changed the base"),
    "packed experts": (config_of(target_parameters=["experts"]), "bare parameters"),
    "wrong rank": (config_of(r=9), "rank 9, its factors have rank 4"),
    "magnitudes": (extra("base_model.model.x.lora_magnitude_vector"), "DoRA scales"),
    "embedding": (extra("base_model.model.x.lora_embedding_A"), "adapter of an embedding"),
    "saved module": (extra("base_model.model.lm_head.weight"), "replaces whole modules"),
    "NaN": (nan_in_factor, "holds NaN or infinite weights"),
    "half-written": (cut_short, "whole safetensors file"),
    "half a pair": (one_factor_gone, "needs factors A"),
    "no weights": (lambda f: (f / "adapter_model.safetensors").unlink(), "found no weights"),
    "broken config": (lambda f: (f / "adapter_config.json").write_text("{"), "expected JSON"),
    "no adapter": (lambda f: (f / "adapter_config.json").unlink(), "expected an adapter"),
    "another template": (
        lambda f: (f / "chat_template.jinja").write_text("{{ messages }}"), "its chat template"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ADAPTERS)
def test_adapters_that_cannot_be_merged(case: str, pair: list[Path], tmp_path: Path) -> None:
    change, reason = ADAPTERS[case]
    change(pair[1])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match=reason):
        merge_adapters(pair, HALF, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


def test_another_vocabulary(pair: list[Path], tmp_path: Path) -> None:
    file = pair[1] / "tokenizer.json"
    content = json.loads(file.read_text())
    content["truncation"] = {"max_length": 7, "strategy": "LongestFirst", "stride": 0}
    file.write_text(json.dumps(content))
    merge_adapters(pair, HALF, tmp_path / "same")  # how a trainer cuts rows is not the tokenizer
    content["model"]["vocab"]["judge"] = 9999
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match="its tokenizer differs"):
        merge_adapters(pair, HALF, tmp_path / "out")


def test_another_architecture(base_of: Any, pair: list[Path], adapter: Any, tmp_path: Path) -> None:
    other = adapter(base_of("gemma3"), "other", target_modules=["q_proj"])
    shutil.copytree(other, tmp_path / "other")
    config_of(base_model_name_or_path=json.loads(
        (pair[0] / "adapter_config.json").read_text())["base_model_name_or_path"]
    )(tmp_path / "other")  # fmt: skip
    with pytest.raises(DataError, match=r"different architectures"):
        merge_adapters([pair[0], tmp_path / "other"], HALF, tmp_path / "out")


def test_a_base_of_another_name_with_the_same_weights_is_the_same(
    base: Path, pair: list[Path], tmp_path: Path
) -> None:
    copy = shutil.copytree(base, tmp_path / "copy")
    config_of(base_model_name_or_path=str(copy))(pair[1])
    merge_adapters(pair, HALF, tmp_path / "out")
    tensors_of(Path(copy), lambda held: next(iter(held.values())).view(-1)[:1].add_(1))
    with pytest.raises(DataError, match="Deltas to different bases"):
        merge_adapters(pair, HALF, tmp_path / "other")
    config_of(base_model_name_or_path="org/base")(pair[1])
    merge_adapters(pair, HALF, tmp_path / "told", base="org/base")


def test_one_dialect_name_for_two_dialects(base: Path, pair: list[Path], tmp_path: Path) -> None:
    for path, digest in zip(pair, ("a" * 64, "b" * 64), strict=True):
        write_origin(path, Origin(dialects={"absolute": digest}, base=str(base), base_hash=None,
                                  reply_tokens=None))  # fmt: skip
    with pytest.raises(DataError, match="One name, two dialects"):
        merge_adapters(pair, HALF, tmp_path / "out")


def test_a_base_that_changed_since_the_training(
    base: Path, pair: list[Path], tmp_path: Path
) -> None:
    write_origin(pair[0], Origin(dialects={}, base=str(base), base_hash="0" * 64,
                                 reply_tokens=None))  # fmt: skip
    with pytest.raises(JudgesmithError, match="trained on another base"):
        merge_adapters(pair, HALF, tmp_path / "out")


def test_bases_with_other_weights(base: Path, pair: list[Path], tmp_path: Path) -> None:
    for path, digest in zip(pair, ("a" * 64, "b" * 64), strict=True):
        config_of(base_model_name_or_path="org/base")(path)
        write_origin(path, Origin(dialects={}, base="org/base", base_hash=None,
                                  reply_tokens=None, base_weights=digest))  # fmt: skip
    with pytest.raises(DataError, match="bases with different weights"):
        merge_adapters(pair, HALF, tmp_path / "out")


HUGE = TaskArithmetic(weights=(1e38, 1e38), scale=1e3)


@pytest.mark.parametrize("method", [HUGE, Ties(weights=(1, 1), density=0.5, scale=1e45)])
def test_weights_beyond_all_numbers(method: Any, base: Path, pair: list[Path], models: list[Path],
                                    tmp_path: Path) -> None:  # fmt: skip
    """Every way to merge names the tensor and writes nothing."""
    tensors_of(models[0], lambda held: held["model.layers.0.self_attn.q_proj.weight"].mul_(2))
    tensors_of(models[1], lambda held: held["model.layers.0.self_attn.q_proj.weight"].mul_(3))
    out, says = tmp_path / "out", r"q_proj\.weight'?: merged, it has numbers that float32 cannot"
    with pytest.raises(DataError, match=says):
        merge_adapters(pair, method, out, rank=4)
    with pytest.raises(DataError, match=says):
        merge_adapters_into(pair, method, base, out)
    with pytest.raises(DataError, match=r"weight': merged, it has numbers that float32 cannot"):
        merge_models(models, base, method, out)
    assert not out.exists()
    with pytest.raises(ValueError, match=r"less than or equal to 10{38}"):
        NuSlerp(weights=(1e308, 1e308))


def test_bounds_that_a_model_keeps_beside_its_weights(
    base: Path, models: list[Path], tmp_path: Path
) -> None:
    """Gemma 4 stores bounds of plus and minus infinity: kept. NaN, or other bounds: refused."""
    bounds = {"a.input_min": torch.tensor(-torch.inf), "a.input_max": torch.tensor(torch.inf)}
    below = Path(shutil.copytree(base, tmp_path / "below"))
    for folder in (*models, below):
        tensors_of(folder, lambda held: held.update(bounds))
    report = merge_models(models, below, HALF, tmp_path / "out")
    found = load("safetensors.torch").load_file(tmp_path / "out/model.safetensors")
    assert all(torch.equal(found[name], value) for name, value in bounds.items())
    assert not any(tensor.name in bounds for tensor in report.tensors)
    tensors_of(models[1], lambda held: held["a.input_max"].fill_(torch.nan))
    with pytest.raises(DataError, match=r"a\.input_max' holds NaN or infinite"):
        merge_models(models, below, HALF, tmp_path / "other")


def test_an_adapter_laid_over_a_model_that_it_does_not_fit(
    base_of: Any, pair: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="Was the adapter trained on this model"):
        fold_adapter(pair[0], base_of("gemma3"), tmp_path / "out")
    with pytest.raises(DataError, match="expected a model with full weights, found an adapter"):
        merge_adapters_into(pair, HALF, pair[0], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_without_the_adapters_layers(base: Path, pair: list[Path], tmp_path: Path) -> None:
    short = Path(shutil.copytree(base, tmp_path / "short"))
    tensors_of(short, lambda held: held.pop("model.layers.1.self_attn.q_proj.weight"))
    with pytest.raises(DataError, match=r"expected one tensor for .*layers.1.*found none"):
        fold_adapter(pair[0], short, tmp_path / "out")


def gone(folder: Path) -> None:
    tensors_of(folder, lambda held: held.pop("model.norm.weight"))


def wider(folder: Path) -> None:
    tensors_of(folder, lambda held: held.update({"lm_head.weight": torch.zeros(97, 24)}))


def infinite(folder: Path) -> None:
    def change(held: dict[str, Any]) -> None:
        held["model.layers.1.mlp.up_proj.weight"][0, 0] = float("inf")

    tensors_of(folder, change)


def shard_gone(folder: Path) -> None:
    model = load("transformers").AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="8KB")
    sorted(folder.glob("*.safetensors"))[1].unlink()


def shard_of_another(folder: Path) -> None:
    shard_gone(folder)
    held = sorted(folder.glob("*.safetensors"))
    index = json.loads((folder / "model.safetensors.index.json").read_text())["weight_map"]
    missing = next(name for name in index.values() if not (folder / name).exists())
    shutil.copy(held[0], folder / missing)


def only_bin(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


MODELS: dict[str, tuple[Change, str]] = {
    "another architecture": (config_of("config.json", model_type="gemma3_text"), "model_type"),
    "another rotation": (
        config_of("config.json", rope_parameters={"rope_type": "default", "rope_theta": 5e5}),
        "rope_theta: 10000.0 against 500000.0",
    ),
    "quantised": (config_of("config.json", quantization_config={"bits": 4}), "stored quantised"),
    "tensor missing": (gone, r"1 are missing \['model.norm.weight'\]"),
    "tensor too many": (extra("model.surplus"), r"1 are extra \['model.surplus'\]"),
    "another vocabulary": (wider, r"'lm_head.weight' has shape \(97, 24\)"),
    "infinite": (infinite, r"model-2: tensor 'model.layers.1.mlp.up_proj.weight' holds NaN or inf"),
    "half-written": (cut_short, "whole safetensors file"),
    "shard missing": (shard_gone, "are missing. Fetch or save the model again"),
    "shards of two": (shard_of_another, "expected it once"),
    "pickled": (only_bin, r"found \['pytorch_model.bin'\]"),
    "no config": (lambda f: (f / "config.json").unlink(), "expected config.json"),
    "another template": (
        lambda f: (f / "chat_template.jinja").write_text("{{ messages }}"), "its chat template"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MODELS)
def test_models_that_cannot_be_merged(case: str, models: list[Path], tmp_path: Path) -> None:
    change, reason = MODELS[case]
    change(models[1])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match=reason):
        merge_models(models, None, HALF, tmp_path / "out")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("stop", [1, 7, 9, 60, 4000])
def test_a_weight_file_cut_anywhere_is_refused(
    stop: int, models: list[Path], tmp_path: Path
) -> None:
    file = models[1] / "model.safetensors"
    file.write_bytes(file.read_bytes()[:stop])
    with pytest.raises(DataError, match="whole safetensors file"):
        merge_models(models, None, HALF, tmp_path / "out")


def test_spellings_of_one_config_are_one_architecture(models: list[Path], tmp_path: Path) -> None:
    """Defaults that another version of transformers leaves out do not make another model."""
    file = models[1] / "config.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({k: v for k, v in content.items() if k != "rms_norm_eps"}))
    merge_models(models, None, HALF, tmp_path / "out")


def test_a_folder_that_is_there_is_never_written_over(
    base: Path, models: list[Path], pair: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for call in (
        lambda: merge_models(models, None, HALF, tmp_path / "out"),
        lambda: merge_adapters(pair, HALF, tmp_path / "out"),
        lambda: merge_adapters_into(pair, HALF, base, tmp_path / "out"),
        lambda: fold_adapter(pair[0], base, tmp_path / "out"),
    ):
        with pytest.raises(DataError, match="not there yet"):
            call()
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"kind": "slurp", "weights": [1, 1]}, "no merge method 'slurp'"),
        ({"kind": "nuslerp", "weights": [1, 1], "density": 0.5}, "no setting 'density'"),
        ({"kind": "nuslerp", "weights": [1, 1, 1]}, "exactly two"),
        ({"kind": "nuslerp", "weights": [1, -0.5]}, "0 or more"),
        ({"kind": "nuslerp", "weights": [0, 0]}, "sum, which is 0"),
        ({"kind": "linear", "weights": [1, -1]}, "sum, which is 0"),
        ({"kind": "linear", "weights": [1, float("nan")]}, "finite"),
        ({"kind": "ties", "weights": [1, 1]}, "needs 'density'"),
        ({"kind": "ties", "weights": [1, 1], "density": 0}, "greater than 0"),
        ({"kind": "ties", "weights": [1, 1], "density": [0.5]}, "1 densities for 2 weights"),
        ({"kind": "dare_ties", "weights": [1, 1], "density": 0.5, "rescale": "yes"}, "rescale"),
    ],
)
def test_settings_that_cannot_be(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        parse_method(given)


def test_settings_that_do_not_fit_the_inputs(
    models: list[Path], pair: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(RecipeError, match="2 weights for 3 inputs"):
        merge_models([*models, models[0]], None, HALF, out)
    for method in (Ties(weights=(1, 1), density=0.5), TaskArithmetic(weights=(1, 1))):
        with pytest.raises(RecipeError, match="adds deltas to a base: give --base"):
            merge_models(models, None, method, out)
    with pytest.raises(RecipeError, match="scales the base too"):
        merge_adapters(pair, Linear(weights=(1, 1), normalize=False), out)
    with pytest.raises(RecipeError, match="expected one of float32"):
        merge_adapters(pair, HALF, out, dtype="int8")
    with pytest.raises(RecipeError, match="rank 0"):
        merge_adapters(pair, HALF, out, rank=0)


def test_a_folder_that_is_not_there(pair: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="found none"):
        merge_adapters([pair[0], tmp_path / "nowhere"], HALF, tmp_path / "out")
