"""Options are handed on verbatim; what a library does not know, or is ours, is named."""

from pathlib import Path

import pytest

from judgesmith.backends.options import OURS, lora_config, trl_config
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


@pytest.mark.parametrize("name", sorted(OURS))
def test_options_that_are_ours_name_the_setting(name: str) -> None:
    with pytest.raises(TrainingError, match=rf"sft\.trl\.{name}: set {OURS[name]} instead"):
        trl_config({}, {name: 1})
