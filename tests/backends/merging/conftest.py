"""Tiny models of three architectures, and LoRA adapters of them made by PEFT itself."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.loading import load

ATTENTION = ("q_proj", "v_proj")
ALL = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
Make = Callable[..., Path]


def llama() -> Any:
    transformers = load("transformers")
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=96, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False,
        )
    )  # fmt: skip


GEMMA = {
    "vocab_size": 96, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 16,
    "layer_types": ["sliding_attention", "full_attention"],
}  # fmt: skip


def gemma3() -> Any:
    transformers = load("transformers")
    return transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**GEMMA))


def gemma4() -> Any:
    transformers = load("transformers")
    return transformers.Gemma4ForCausalLM(
        transformers.Gemma4TextConfig(
            **GEMMA, hidden_size_per_layer_input=8, vocab_size_per_layer_input=96
        )
    )


def gemma3_with_images() -> Any:
    """Its class says `model.language_model`, its files `language_model.model`."""
    transformers = load("transformers")
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
             "num_attention_heads": 2, "image_size": 28, "patch_size": 14}  # fmt: skip
    return transformers.Gemma3ForConditionalGeneration(
        transformers.Gemma3Config(
            text_config=GEMMA, vision_config=tower, mm_tokens_per_image=4, image_token_index=90,
            boi_token_index=91, eoi_token_index=92,
        )
    )  # fmt: skip


BUILDERS = {
    "llama": llama, "gemma3": gemma3, "gemma4": gemma4, "gemma3-images": gemma3_with_images
}  # fmt: skip


@pytest.fixture(scope="session")
def base_of(tmp_path_factory: pytest.TempPathFactory, student_folder: Path) -> Make:
    """The folder of a tiny model of an architecture, float32, built once."""
    made: dict[str, Path] = {}

    def build(name: str) -> Path:
        if name not in made:
            folder = tmp_path_factory.mktemp("bases") / name
            load("torch").manual_seed(len(name))
            BUILDERS[name]().save_pretrained(folder)
            for file in student_folder.glob("*token*"):
                shutil.copy(file, folder)
            shutil.copy(student_folder / "chat_template.jinja", folder)
            made[name] = folder
        return made[name]

    return build


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make an adapter of a base: random factors, saved by PEFT."""
    root = tmp_path_factory.mktemp("adapters")

    def make(base: Path, name: str, *, seed: int = 0, **config: Any) -> Path:
        folder = root / f"{base.name}-{name}"
        if not folder.exists():
            model = peft_model(base, seed=seed, **config)
            model.save_pretrained(folder)
            for file in (*base.glob("*token*"), *base.glob("chat_template*")):
                shutil.copy(file, folder)
        return folder

    return make


def peft_model(base: Path, *, seed: int = 0, **config: Any) -> Any:
    torch, peft, transformers = load("torch"), load("peft"), load("transformers")
    settings = {"r": 4, "lora_alpha": 8, "target_modules": list(ALL), "task_type": "CAUSAL_LM"}
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = peft.get_peft_model(model, peft.LoraConfig(**{**settings, **config}))
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.randn(parameter.shape, generator=draw) * 0.1)
    return model


@pytest.fixture(scope="session")
def folded(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """PEFT's own merge of an adapter into its base, as a folder of float32 weights."""
    root = tmp_path_factory.mktemp("folded")

    def make(base: Path, adapter: Path) -> Path:
        folder = root / adapter.name
        if not folder.exists():
            torch, peft, transformers = load("torch"), load("peft"), load("transformers")
            model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
            merged = peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()
            merged.save_pretrained(folder)
            for file in (*base.glob("*token*"), *base.glob("chat_template*")):
                shutil.copy(file, folder)
        return folder

    return make


@pytest.fixture(scope="session")
def weights() -> Callable[[Path], dict[str, Any]]:
    """All tensors of a folder's weight files, read by safetensors itself."""
    read = load("safetensors.torch").load_file

    def of(folder: Path) -> dict[str, Any]:
        return {
            n: t for file in sorted(folder.glob("*.safetensors")) for n, t in read(file).items()
        }

    return of


@pytest.fixture
def change_json() -> Callable[..., None]:
    """Change some keys of a JSON file."""

    def change(file: Path, **values: Any) -> None:
        file.write_text(json.dumps({**json.loads(file.read_text()), **values}))

    return change
