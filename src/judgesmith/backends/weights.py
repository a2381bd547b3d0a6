"""Model folders and hub names -> models in memory, whole and finite, or an error that says why."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from judgesmith.backends.encode import turn_end
from judgesmith.backends.loading import load
from judgesmith.errors import ModelError

Quantize = Literal["nf4"]
_TOWERS = ("vision_tower", "audio_tower", "multi_modal_projector", "embed_vision", "embed_audio")
_CONFIGS = ("config.json", "adapter_config.json")
TOWERS = rf".*\b({'|'.join(_TOWERS)})\b.*"
"""Modules of a multimodal model that a judge of text never uses."""


def load_weights(path: str, quantize: Quantize | None = None) -> Any:
    """The model of a folder or hub name on this process's device.

    Half precision on a GPU, float32 on a CPU. With `nf4`, bitsandbytes stores the matrices in four
    bits with double quantisation, and computes in that precision.

    A checkpoint with images or sound beside text (Gemma 3 4B, Gemma 4 E4B) loads as the class that
    the hub names for it, so that adapters keep the names of its modules and fit it elsewhere; its
    towers are never trained. Weights that the checkpoint does not hold are an error: transformers
    would draw them at random.
    """
    transformers, torch = load("transformers"), load("torch")
    transformers.utils.logging.disable_progress_bar()
    require_whole(path)
    device = own_device()
    dtype = torch.bfloat16 if device != "cpu" else torch.float32
    options: dict[str, Any] = {"dtype": dtype}
    if quantize is not None:
        options |= {"quantization_config": _nf4(dtype)}
        options |= {} if device == "cpu" else {"device_map": {"": device}}
    failures = (OSError, ValueError, RuntimeError, load("safetensors").SafetensorError)
    try:
        model, info = transformers.AutoModelForCausalLM.from_pretrained(
            path, output_loading_info=True, **options
        )
    except failures as error:
        raise _not_loaded(path, error) from None
    if info["missing_keys"] or info["mismatched_keys"]:
        names = sorted({*map(str, info["missing_keys"]), *map(str, info["mismatched_keys"])})
        raise ModelError(
            f"{path}: the weights do not fit its config.json: {len(names)} are missing or of "
            f"another shape, such as {names[0]}. Take the whole folder, of one model."
        )
    if quantize is None:
        return model.to(device)
    _keep_format(model)
    return model


def _keep_format(model: Any) -> None:
    """Keep four-bit weights as they are.

    On some CPUs bitsandbytes packs a layer anew, with rounder scales, when it first computes
    outside of training. What a training gives would then depend on the machine and on when it was
    evaluated, and layers narrower than 64 fail.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def prepare_four_bits(model: Any) -> None:
    """Make a four-bit base ready for an adapter: nothing of it learns, its norms are float32.

    PEFT's own preparation makes the embeddings float32, too, which never learn here: those of
    Gemma 4 E4B would take 14 GB.
    """
    torch = load("torch")
    for weight in model.parameters():
        weight.requires_grad = False
        if weight.ndim == 1 and weight.dtype in (torch.float16, torch.bfloat16):
            weight.data = weight.data.float()


def load_tokenizer(path: str) -> Any:
    """The tokenizer of a folder or hub name; without a padding token it pads with its eos."""
    require_there(path)
    try:
        tokenizer = load("transformers").AutoTokenizer.from_pretrained(path)
    except (OSError, ValueError) as error:
        raise _not_loaded(path, error) from None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def own_device() -> str:
    """The device of this process: under a launcher each has a GPU of its own."""
    if not load("torch").cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"


def is_multimodal(model: Any) -> bool:
    """Whether the model reads images or sound beside text."""
    config = model.config
    return any(getattr(config, f"{kind}_config", None) is not None for kind in ("vision", "audio"))


def freeze_towers(model: Any) -> None:
    """Leave everything but the language model of a multimodal model as it is."""
    for name, weight in model.named_parameters():
        if any(part in _TOWERS for part in name.split(".")):
            weight.requires_grad = False


def end_turns(model: Any, tokenizer: Any) -> None:
    """Let generation stop where the chat template ends the judge's turn."""
    if not tokenizer.chat_template:
        return
    known = model.generation_config.eos_token_id
    ends = known if isinstance(known, list) else [known] if known is not None else []
    wanted = {turn_end(tokenizer), tokenizer.eos_token_id}
    if not wanted <= set(ends):
        model.generation_config.eos_token_id = [*ends, *sorted(wanted - set(ends))]


def require_vocabulary(model: Any, tokenizer: Any, path: str) -> None:
    """Refuse a tokenizer that gives tokens which the model has no embedding of."""
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise ModelError(
            f"{path}: its tokenizer has {len(tokenizer)} tokens and the model embeddings of {rows} "
            "only, so it is the tokenizer of another model. Take both from the same folder."
        )


def read_config(file: Path) -> dict[str, Any]:
    """A model folder's JSON file; ModelError for one that was cut off."""
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        raise ModelError(
            f"{file}: not valid JSON ({error}); a kill or a full disk cut it off, or an edit broke "
            "it. Fetch or train the model again."
        ) from None
    return dict(found)


def require_there(path: str) -> None:
    """Refuse a missing folder at once where the name can be no hub name (OWNER/NAME).

    Raises:
        ModelError: there is no such folder.
    """
    if _is_path(path) and not Path(path).exists():
        raise _not_loaded(path, FileNotFoundError())


def _is_path(path: str) -> bool:
    return path.startswith((".", "/", "~", "runs/")) or path.count("/") > 1


def require_whole(path: str) -> None:
    """Refuse a folder whose weight files were cut off or are not all there."""
    require_there(path)
    folder = Path(path)
    if not folder.is_dir():
        return
    named = {
        folder / name
        for index in folder.glob("*.safetensors.index.json")
        for name in read_config(index)["weight_map"].values()
    }
    lost = sorted(file.name for file in named if not file.is_file())
    if lost:
        raise ModelError(
            f"{folder}: {len(lost)} of its weight files are missing, such as {lost[0]}; it was "
            "half copied or half written. Fetch it again."
        )
    safetensors = load("safetensors")
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safetensors.safe_open(file, framework="pt"):
                pass
        except (OSError, safetensors.SafetensorError) as error:
            raise ModelError(
                f"{file}: the file is not whole ({error}); a kill or a full disk cut it off. "
                "Fetch or train it again."
            ) from None


def require_finite(model: Any, path: str, *, stored: bool = True) -> None:
    """Refuse weights that hold a number which is not finite: nothing can be learned from there.

    Of a folder the files are read, tensor by tensor: four-bit weights would not show it. Without
    `stored` the weights are looked at as they were loaded, an adapter in its base.
    """
    torch = load("torch")
    folder = Path(path)
    held = _in_files(folder) if stored and folder.is_dir() else model.named_parameters()
    for name, tensor in held:
        if tensor.numel() == 1 and not bool(tensor.isnan().any()):
            continue  # a bound, such as the towers of Gemma 4 keep, may be infinite
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            count = int((~torch.isfinite(tensor)).sum())
            raise ModelError(
                f"{path}: {count} numbers of {name} are not finite. The training or merge that "
                "wrote it diverged; take an earlier checkpoint."
            )


def _in_files(folder: Path) -> Iterator[tuple[str, Any]]:
    safe_open = load("safetensors").safe_open
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
                yield name, tensors.get_tensor(name)


def _nf4(dtype: Any) -> Any:
    load("bitsandbytes")
    return load("transformers").BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )  # fmt: skip


def _not_loaded(path: str, error: Exception) -> ModelError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    folder = Path(path)
    if folder.is_dir() and not any((folder / name).is_file() for name in _CONFIGS):
        reason = f"the folder holds no {_CONFIGS[0]}."
    elif not folder.exists() and _is_path(path):
        reason = "there is no such folder."
    return ModelError(
        f"{path}: expected a Hugging Face model folder or hub name; it could not be loaded: "
        f"{reason}"
    )
