"""Options are handed on verbatim; what a library does not know, or is ours, is named."""

from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.options import OURS, Stage, lora_config, trl_config
from judgesmith.errors import TrainingError


def test_options_are_handed_on(tmp_path: Path) -> None:
    config = trl_config(
        {
            "output_dir": str(tmp_path),
            "use_cpu": True,
            "bf16": False,
            "activation_checkpointing": False,
            "weight_decay": 0.5,
        },
        {"weight_decay": 0.25, "adam_beta2": 0.9},
    )
    assert (config.weight_decay, config.adam_beta2) == (0.25, 0.9)
    adapter = lora_config({"r": 3, "use_rslora": True})
    assert (adapter.r, adapter.use_rslora, str(adapter.task_type)) == (3, True, "CAUSAL_LM")


def test_unknown_options_name_the_nearest() -> None:
    with pytest.raises(TrainingError, match=r"sft\.trl: .* 'warmup_stepz'; .*'warmup_steps'"):
        trl_config({}, {"warmup_stepz": 1})
    with pytest.raises(TrainingError, match=r"sft\.peft: .* 'lora_alfa'; .*'lora_alpha'"):
        lora_config({"lora_alfa": 1})
    with pytest.raises(TrainingError, match=r"sft\.peft: PEFT does not accept"):
        lora_config({"r": 4, "layers_to_transform": [1], "target_modules": ".*q_proj"})


def _ours() -> list[tuple[Stage, str]]:
    return [(stage, name) for stage in OURS for name in sorted(OURS[stage])]


@pytest.mark.parametrize(("stage", "name"), _ours())
def test_options_that_are_ours_name_the_setting(stage: Stage, name: str) -> None:
    told = rf"{stage}\.trl\.{name}: leave it out; {OURS[stage][name]}\."
    with pytest.raises(TrainingError, match=told):
        trl_config({}, {name: 1}, stage)


def test_what_a_preference_training_sets_is_not_overwritten() -> None:
    """An option under another trainer's name is unknown; the settings are those of dpo."""
    with pytest.raises(TrainingError, match=r"dpo\.trl\.max_steps: .*set dpo\.steps"):
        trl_config({}, {"max_steps": 3}, "dpo")
    with pytest.raises(TrainingError, match=r"dpo\.trl\.sync_ref_model: .*what the reference is"):
        trl_config({}, {"sync_ref_model": True}, "dpo")
    with pytest.raises(TrainingError, match=r"dpo\.trl: TRL's DPOConfig has no option 'packing'"):
        trl_config({}, {"packing": True}, "dpo")


@pytest.mark.parametrize("stage", ["sft", "dpo"])
@pytest.mark.parametrize(
    ("given", "on"),
    [
        ({}, False),
        ({"gradient_checkpointing": True}, True),
        ({"activation_checkpointing": True}, True),
        ({"gradient_checkpointing": False}, False),
        ({"gradient_checkpointing_kwargs": {"use_reentrant": False}}, True),
        ({"gradient_checkpointing": True, "activation_checkpointing": False}, False),
    ],
)
def test_activations_are_computed_again_as_the_recipe_says(
    stage: Stage, given: dict[str, Any], on: bool, tmp_path: Path
) -> None:
    """By the old name or the new one, of which the new one wins, in both trainings."""
    options = {"output_dir": str(tmp_path), "use_cpu": True, "bf16": False}
    config = trl_config(options | {"activation_checkpointing": False}, given, stage)
    assert config.activation_checkpointing is on
    assert config.gradient_checkpointing is on
    kwargs = given.get("gradient_checkpointing_kwargs")
    assert config.activation_checkpointing_kwargs == kwargs


def test_no_value_is_refused_where_there_must_be_one() -> None:
    with pytest.raises(
        TrainingError, match=r"dpo\.peft\.lora_alpha: expected a value, found null; .*own \(8\)"
    ):
        lora_config({"lora_alpha": None}, "dpo.peft")
    with pytest.raises(TrainingError, match=r"sft\.trl\.weight_decay: expected a value"):
        trl_config({}, {"weight_decay": None})
    assert lora_config({"target_modules": None, "layers_to_transform": None}).r == 8
