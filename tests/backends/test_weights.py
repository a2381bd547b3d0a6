"""Models that are not whole, not finite or not of one piece are refused, each with its reason."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.base_weights import weights_hash
from judgesmith.backends.origin import (
    Origin,
    base_hash,
    origin_of,
    read_origin,
    require_base,
    write_origin,
)
from judgesmith.backends.sft_trl import Training, train_sft
from judgesmith.backends.student import load_student
from judgesmith.backends.weights import load_tokenizer, load_weights
from judgesmith.errors import ModelError


@pytest.fixture
def base(bases: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bases("llama"), tmp_path / "base"))


def change_weights(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def test_a_file_that_was_cut_off(base: Path) -> None:
    file = base / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelError, match=r"model\.safetensors: the file is not whole"):
        load_student(str(base))


def test_a_file_that_is_missing(base: Path) -> None:
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    shutil.copy(base / "model.safetensors", base / weight_map["a"])
    index = {"metadata": {}, "weight_map": weight_map}
    (base / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"1 of its weight files are missing, such as model-00002"):
        load_student(str(base))


def test_weights_that_are_missing_are_not_drawn_at_random(base: Path) -> None:
    change_weights(base, lambda weights: weights.pop("model.layers.1.mlp.up_proj.weight"))
    with pytest.raises(ModelError, match=r"1 are missing.*layers\.1\.mlp\.up_proj"):
        load_student(str(base))


def test_a_tokenizer_of_another_model(base: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.add_tokens([f"extra{n}" for n in range(90)])
    tokenizer.save_pretrained(base)
    with pytest.raises(ModelError, match=r"tokens and the model embeddings of \d+ only"):
        load_student(str(base))


def test_no_chat_template(
    base: Path, training: Callable[..., Training], train_rows: Any, tmp_path: Path
) -> None:
    (base / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match=r"base: its tokenizer has no chat template"):
        train_sft(training(base, tmp_path / "sft"), train_rows, [], lambda model: None)


@pytest.mark.parametrize("quantize", [None, "nf4"])
def test_numbers_that_are_not_finite(
    quantize: Any, base: Path, training: Callable[..., Training], train_rows: Any, tmp_path: Path
) -> None:
    name = "model.layers.0.self_attn.k_proj.weight"
    change_weights(base, lambda weights: weights[name][0, :2].fill_(float("nan")))
    job = training(base, tmp_path / "sft", quantize=quantize, dry_run=4)
    with pytest.raises(ModelError, match=r"2 numbers of .*k_proj\.weight are not finite"):
        train_sft(job, train_rows, [], lambda model: None)


def test_no_model_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="could not be loaded"):
        load_student(str(tmp_path))


@pytest.mark.parametrize("path", ["runs/nothere", "./nothere", "some/where/nothere"])
@pytest.mark.parametrize("load", [load_tokenizer, load_weights])
def test_what_can_be_no_hub_name_is_not_looked_for_there(
    load: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    for name in ("AutoTokenizer", "AutoModelForCausalLM"):
        monkeypatch.setattr(getattr(transformers, name), "from_pretrained", pytest.fail)
    with pytest.raises(ModelError, match="there is no such folder"):
        load(path)


def test_an_origin_is_read_back(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sft/student"
    folder.mkdir(parents=True)
    assert read_origin(folder) is None
    told = origin_of(str(base), folder, dialects={"d": "h"}, replies=[5, 9, 7], quantize="nf4")
    write_origin(folder, told)
    assert read_origin(folder) == told
    assert (told.base, told.base_hash) == ("../../base", base_hash(base))
    assert told.reply_tokens is not None
    assert (told.reply_tokens.p50, told.reply_tokens.p99, told.reply_tokens.max) == (7, 9, 9)


def test_a_base_elsewhere_is_named_as_it_is(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "runs/one/sft/student"
    assert origin_of(str(base), folder, dialects={}, replies=[]).base == str(base)
    hub = origin_of("org/model", folder, dialects={}, replies=[])
    assert (hub.base, hub.base_hash, hub.reply_tokens) == ("org/model", None, None)


def test_a_base_that_changed_is_refused(base: Path, tmp_path: Path) -> None:
    told = origin_of(str(base), tmp_path, dialects={}, replies=[])
    require_base(told, str(base), tmp_path)
    (base / "config.json").write_text("{}")
    with pytest.raises(ModelError, match="trained on another base"):
        require_base(told, str(base), tmp_path)


def test_a_base_with_other_weights_is_refused(base: Path, tmp_path: Path) -> None:
    """Same config, same tokenizer: one matrix of another training is seen; old folders say less."""
    told = origin_of(str(base), tmp_path, dialects={}, replies=[])
    old = told.model_copy(update={"base_weights": None})
    change_weights(base, lambda held: held["model.layers.1.mlp.up_proj.weight"].add_(0.01))
    with pytest.raises(ModelError, match=r"another base than .*: its weights have changed"):
        require_base(told, str(base), tmp_path)
    require_base(old, str(base), tmp_path)


def test_weights_are_known_again_however_they_are_cut_into_files(base: Path) -> None:
    from transformers import AutoModelForCausalLM

    whole = weights_hash(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    parts = base.with_name("parts")
    model.save_pretrained(parts, max_shard_size="20KB")
    assert len(list(parts.glob("*.safetensors"))) > 1
    assert weights_hash(parts) == whole
    assert weights_hash(base.with_name("nowhere")) is None


def test_a_torn_origin_is_refused(tmp_path: Path) -> None:
    (tmp_path / "judgesmith.json").write_text('{"base": "b"')
    with pytest.raises(ModelError, match=r"judgesmith\.json: expected where this model comes from"):
        read_origin(tmp_path)
    (tmp_path / "judgesmith.json").write_text('{"base": "b"}')
    with pytest.raises(ModelError, match=r"dialects: Field required"):
        read_origin(tmp_path)
    assert set(Origin.model_fields) >= {"dialects", "base", "base_hash", "reply_tokens"}
