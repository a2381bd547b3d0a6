"""Settings of a recipe in words."""

from collections.abc import Iterable, Mapping
from typing import Any

ACCUMULATION = "gradient_accumulation_steps"
LONGEST_SETTING = 160
"""Letters of a setting that stand beside its name."""
Options = Mapping[str, Any]


def option_words(options: Options) -> str:
    """Write options as they are named, one after the other.

    >>> option_words({"r": 16, "target_modules": ["q_proj", "v_proj"], "lora_dropout": 0.05})
    'r 16, target_modules q_proj / v_proj, lora_dropout 0.05'
    """
    return ", ".join(f"{name} {_value(value)}" for name, value in options.items())


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return " / ".join(_value(one) for one in value) or "none"
    if isinstance(value, Mapping):
        return f"({option_words(value)})" if value else "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


def setting_words(plain: Options, paths: Iterable[str]) -> dict[str, str]:
    """What stands at each of these places of a recipe, in words; long texts are left out.

    >>> setting_words({"sft": {"peft": {"r": 16}, "epochs": 3}}, ["sft.peft", "sft.epochs"])
    {'sft.peft': 'r 16', 'sft.epochs': '3'}
    """
    found = {}
    for path in paths:
        place: Any = plain
        for part in path.split("."):
            place = _step(place, part)
        told = option_words(place) if isinstance(place, Mapping) else _value(place)
        if place is not None and len(told) <= LONGEST_SETTING:
            found[path] = told
    return found


def _step(place: object, part: str) -> object:
    if isinstance(place, Mapping):
        return place.get(part)
    if isinstance(place, list) and part.isdecimal() and int(part) < len(place):
        found: object = place[int(part)]
        return found
    return None


def per_step(config: Options) -> int:
    """Rows that one optimizer step takes, over all processes.

    >>> per_step({"batch": 4, "trl": {"gradient_accumulation_steps": 8}, "launch": None})
    32
    """
    launch = config.get("launch") or {}
    accumulated = int((config.get("trl") or {}).get(ACCUMULATION, 1))
    return int(config.get("batch", 1)) * accumulated * int(launch.get("processes", 1))
