"""Full weights: streaming, shards, tied embeddings, and one result however they lie on disk."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from judgesmith.backends.loading import load
from judgesmith.backends.merging import (
    DareTies,
    Linear,
    NuSlerp,
    Ties,
    fold_adapter,
    merge_adapters,
    merge_models,
    read_report,
    weight_files,
)

METHODS = {
    "nuslerp": NuSlerp(weights=(0.3, 0.7)),
    "columns": NuSlerp(weights=(0.3, 0.7), granularity="column"),
    "rows": NuSlerp(weights=(0.3, 0.7), granularity="row"),
    "linear": Linear(weights=(0.5, 0.5)),
    "ties": Ties(weights=(0.5, 0.5), density=0.4),
    "dare": DareTies(weights=(0.5, 0.5), density=0.4),
}


@pytest.fixture(scope="module")
def base(base_of: Any) -> Path:
    return base_of("llama")


@pytest.fixture(scope="module")
def adapters(base: Path, adapter: Any) -> list[Path]:
    return [
        adapter(base, "m1", seed=1, r=4),
        adapter(base, "m2", seed=2, r=3, target_modules=["q_proj", "down_proj"]),
    ]


@pytest.fixture(scope="module")
def models(base: Path, adapters: list[Path], folded: Any) -> list[Path]:
    return [folded(base, path) for path in adapters]


@pytest.mark.parametrize("name", METHODS)
def test_shards_and_blocks_have_no_influence(
    name: str, base: Path, models: list[Path], weights: Any, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """One input in many shards, the result in many, tensors left in files, blocks of a row."""
    from judgesmith.backends.merging import dense

    merge_models(models, base, METHODS[name], tmp_path / "whole", seed=3)
    sharded = tmp_path / "sharded"
    model = load("transformers").AutoModelForCausalLM.from_pretrained(models[0])
    model.save_pretrained(sharded, max_shard_size="8KB")
    assert len(list(sharded.glob("*.safetensors"))) > 3
    for file in models[0].glob("*token*"):
        shutil.copy(file, sharded)
    monkeypatch.setattr(weight_files, "_HELD", 0)
    monkeypatch.setattr(dense, "_BLOCK", 30)
    merge_models(
        [sharded, models[1]], base, METHODS[name], tmp_path / "out", seed=3, shard_bytes=9000
    )
    assert len(list((tmp_path / "out").glob("*.safetensors"))) > 3
    whole, found = weights(tmp_path / "whole"), weights(tmp_path / "out")
    assert whole.keys() == found.keys()
    for tensor in whole:
        assert torch.allclose(whole[tensor], found[tensor], atol=1e-7), tensor
    model = load("transformers").AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    state = model.state_dict()
    assert all(torch.equal(state[tensor], found[tensor]) for tensor in found)


@pytest.mark.parametrize("name", ["nuslerp", "columns", "rows", "linear"])
def test_adapters_and_the_models_they_are_give_one_result(
    name: str, base: Path, adapters: list[Path], models: list[Path], weights: Any, tmp_path: Path
) -> None:
    """By default too, where a delta that is zero counts as absent in both spaces."""
    merge_adapters(adapters, METHODS[name], tmp_path / "adapter")
    fold_adapter(tmp_path / "adapter", base, tmp_path / "folded")
    merge_models(models, base, METHODS[name], tmp_path / "models")
    one, two = weights(tmp_path / "folded"), weights(tmp_path / "models")
    assert all(torch.allclose(one[n], two[n], atol=1e-6) for n in one)


def test_both_reports_tell_the_same_of_the_deltas(
    base: Path, adapters: list[Path], models: list[Path], tmp_path: Path
) -> None:
    small = merge_adapters(adapters, METHODS["nuslerp"], tmp_path / "adapter")
    large = merge_models(models, base, METHODS["nuslerp"], tmp_path / "models")
    told = {tensor.name: tensor for tensor in large.tensors}
    for tensor in small.tensors:
        other = told[tensor.name]
        assert tensor.shape == other.shape
        assert tensor.norms == pytest.approx(other.norms, rel=1e-4)
        assert tensor.coefficients == pytest.approx(other.coefficients, rel=1e-4)
        if tensor.cosines[0] is not None:
            assert tensor.cosines[0] == pytest.approx(other.cosines[0], abs=1e-4)
            assert tensor.sign_conflict == pytest.approx(other.sign_conflict, abs=1e-2)


def test_a_tied_output_embedding_is_written_once(
    base_of: Any, weights: Any, tmp_path: Path
) -> None:
    base = base_of("gemma3")
    tensors = weights(base)
    copies = []
    for name in ("a", "b"):
        folder = tmp_path / name
        shutil.copytree(base, folder)
        changed = {n: t + 0.01 * torch.randn_like(t) for n, t in tensors.items()}
        if name == "a":
            changed["lm_head.weight"] = changed["model.embed_tokens.weight"].clone()
        load("safetensors.torch").save_file(changed, folder / "model.safetensors")
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": True}))
        copies.append(folder)
    report = merge_models(copies, None, Linear(weights=(0.5, 0.5)), tmp_path / "out")
    assert report.tied == ("lm_head.weight",)
    assert "lm_head.weight" not in weights(tmp_path / "out")
    model = load("transformers").AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert torch.equal(model.lm_head.weight, model.model.embed_tokens.weight)


def test_half_precision_is_widened_and_written_back(
    base: Path, models: list[Path], weights: Any, tmp_path: Path
) -> None:
    halves = []
    for path in (*models, base):
        target = tmp_path / path.name
        model = load("transformers").AutoModelForCausalLM.from_pretrained(
            path, dtype=torch.bfloat16
        )
        model.save_pretrained(target)
        halves.append(target)
    one, two, below = (weights(path) for path in halves)
    merge_models(halves[:2], None, Linear(weights=(0.5, 0.5)), tmp_path / "out")
    found = weights(tmp_path / "out")
    assert {tensor.dtype for tensor in found.values()} == {torch.bfloat16}
    for name, tensor in found.items():
        assert torch.equal(tensor, ((one[name].float() + two[name].float()) / 2).bfloat16())
    merge_models(halves[:2], halves[2], Linear(weights=(0.5, 0.5)), tmp_path / "wide",
                 dtype="float32")  # fmt: skip
    assert {tensor.dtype for tensor in weights(tmp_path / "wide").values()} == {torch.float32}
    config = json.loads((tmp_path / "wide" / "config.json").read_text())
    assert config["dtype"] == "float32"
    assert below


def test_the_folder_is_a_model_with_its_tokenizer(
    base: Path, models: list[Path], tmp_path: Path
) -> None:
    report = merge_models(models, base, METHODS["nuslerp"], tmp_path / "out")
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
            "chat_template.jinja", "merge.json"} <= names  # fmt: skip
    assert read_report(tmp_path / "out") == report
    assert len(report.inputs[0].sha256) == 64
    tokenizer = load("transformers").AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.chat_template


def test_inputs_are_left_as_they_are(base: Path, models: list[Path], tmp_path: Path) -> None:
    before = [path.joinpath("model.safetensors").read_bytes() for path in (base, *models)]
    for name, method in METHODS.items():
        merge_models(models, base, method, tmp_path / name)
    merge_models(models, None, METHODS["linear"], tmp_path / "plain")
    assert before == [path.joinpath("model.safetensors").read_bytes() for path in (base, *models)]
