"""Every deterministic method equals mergekit 0.1.5, and DARE does with its mask injected.

The judges are LoRA adapters of tiny random models. PEFT folds them into float32 weights for
mergekit; ours merges the adapters in their own space, and the folded weights as well.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.loading import load
from judgesmith.backends.merging import (
    DareLinear,
    DareTies,
    Linear,
    NuSlerp,
    TaskArithmetic,
    Ties,
    fold_adapter,
    merge_adapters,
    merge_adapters_into,
    merge_models,
)
from judgesmith.backends.merging.masks import keep_mask
from judgesmith.backends.merging.methods import MergeMethod, Sparse

pytestmark = [pytest.mark.slow, pytest.mark.wide]
TOLERANCE = 1e-6
ARCHITECTURES = ("llama", "gemma3", "gemma4")
W = (0.3, 0.7)

SLERP_FLAGS = {"tensor": (True, False), "row": (False, False), "column": (False, True)}
CASES: dict[str, tuple[MergeMethod, str, dict[str, Any]]] = {
    **{
        f"nuslerp-{by}": (
            NuSlerp(weights=W, granularity=by, missing="zero"),
            "nuslerp",
            {"nuslerp_flatten": flat, "nuslerp_row_wise": row},
        )
        for by, (flat, row) in SLERP_FLAGS.items()
    },
    "linear": (Linear(weights=(0.6, 1.4), missing="zero"), "linear", {"normalize": True}),
    "task_arithmetic": (
        TaskArithmetic(weights=(0.9, 0.8), scale=0.7), "task_arithmetic", {"lambda": 0.7}
    ),
    "ties": (
        Ties(weights=(0.4, 0.9), density=0.37, scale=1.2),
        "ties", {"density": 0.37, "lambda": 1.2, "normalize": True},
    ),
    "ties-sum": (
        Ties(weights=(0.4, -0.9), density=(0.5, 0.9), normalize=False),
        "ties", {"density": {"a": 0.5, "b": 0.9}, "normalize": False},
    ),
    "dare_ties-undropped": (
        DareTies(weights=W, density=1, rescale="norm"), "dare_ties", {"density": 1.0}
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def mergekit() -> Any:
    """mergekit's in-memory interface; importing it takes up to 14 s."""
    if importlib.util.find_spec("mergekit") is None:
        pytest.skip("MERGEKIT ABSENT: install the dev extra to compare merges with it")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mergekit import merge_methods
    return merge_methods


@pytest.fixture(scope="module", params=ARCHITECTURES)
def judges(
    request: pytest.FixtureRequest, base_of: Any, adapter: Any, folded: Any
) -> dict[str, Any]:
    """A base, two adapters that differ in all that adapters can differ in, and both folded."""
    base = base_of(request.param)
    a = adapter(base, "a", seed=1, r=4, lora_alpha=8, rank_pattern={"o_proj": 2},
                alpha_pattern={"down_proj": 3})  # fmt: skip
    b = adapter(base, "b", seed=2, r=7, lora_alpha=5, use_rslora=True,
                target_modules=["q_proj", "v_proj", "down_proj", "o_proj"])  # fmt: skip
    return {"base": base, "adapters": [a, b], "models": [folded(base, a), folded(base, b)]}


def worst(found: dict[str, Any], expected: dict[str, Any]) -> float:
    assert found.keys() == expected.keys()
    return max(float((found[n].float() - expected[n].float()).abs().max()) for n in expected)


def oracle(mergekit: Any, weights: Callable[[Path], Any], judges: Any, case: str) -> dict[str, Any]:
    method, name, parameters = CASES[case]
    states = dict(zip(("base", "a", "b"), map(weights, [judges["base"], *judges["models"]]),
                      strict=True))  # fmt: skip
    given = {**parameters, "weight": {"base": 0.0, "a": method.weights[0], "b": method.weights[1]}}
    if name == "linear":
        return dict(mergekit.merge_state_dicts(
            {k: states[k] for k in "ab"}, name, parameters={**given, "weight": list(method.weights)}
        ))  # fmt: skip
    if isinstance(given.get("density"), dict):
        given["density"] = {"base": 1.0, **given["density"]}
    return dict(mergekit.merge_state_dicts(states, name, parameters=given, base="base"))


@pytest.mark.parametrize("case", CASES)
def test_full_weights_equal_mergekit(
    case: str, judges: Any, mergekit: Any, weights: Any, tmp_path: Path
) -> None:
    expected = oracle(mergekit, weights, judges, case)
    merge_models(judges["models"], judges["base"], CASES[case][0], tmp_path / "out")
    found = weights(tmp_path / "out")
    assert worst(found, expected) < TOLERANCE
    assert worst(weights(judges["base"]), expected) > 1e-3, "the comparison shows nothing"


@pytest.mark.parametrize("case", CASES)
def test_adapters_equal_mergekit_on_folded_models(
    case: str, judges: Any, mergekit: Any, weights: Any, tmp_path: Path
) -> None:
    expected = oracle(mergekit, weights, judges, case)
    method = CASES[case][0]
    if isinstance(method, Sparse):
        merge_adapters_into(judges["adapters"], method, judges["base"], tmp_path / "out")
    else:
        merge_adapters(judges["adapters"], method, tmp_path / "adapter")
        fold_adapter(tmp_path / "adapter", judges["base"], tmp_path / "out")
    assert worst(weights(tmp_path / "out"), expected) < TOLERANCE


@pytest.mark.parametrize("rescale", [True, False])
@pytest.mark.parametrize("method", [DareLinear, DareTies])
def test_dare_equals_mergekit_with_its_mask_injected(
    method: type[DareLinear | DareTies],
    rescale: bool,
    judges: Any,
    mergekit: Any,
    weights: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """mergekit draws with torch.bernoulli, once per input; it is handed our masks instead."""
    torch = load("torch")
    ours = method(weights=W, density=0.6, rescale="norm" if rescale else "none")
    states = dict(zip(("base", "a", "b"), map(weights, [judges["base"], *judges["models"]]),
                      strict=True))  # fmt: skip
    given = {"weight": {"base": 0.0, "a": W[0], "b": W[1]}, "density": 0.6, "rescale": rescale}
    expected, drawn = {}, 0
    for name in states["base"]:
        order = iter(range(2))

        def injected(like: Any, *_: Any, name: str = name, order: Any = order, **__: Any) -> Any:
            nonlocal drawn
            drawn += 1
            mask = keep_mask(tuple(like.shape), 0.6, 5, (next(order), name))
            return mask.to(like.dtype)

        monkeypatch.setattr(torch, "bernoulli", injected)
        one = {key: {name: state[name]} for key, state in states.items()}
        expected |= mergekit.merge_state_dicts(one, ours.kind, parameters=given, base="base")
    monkeypatch.undo()
    assert drawn == 2 * len(expected), "mergekit drew its masks in another way"
    merge_adapters_into(judges["adapters"], ours, judges["base"], tmp_path / "lora", seed=5)
    assert worst(weights(tmp_path / "lora"), expected) < TOLERANCE
    merge_models(judges["models"], judges["base"], ours, tmp_path / "full", seed=5)
    assert worst(weights(tmp_path / "full"), expected) < TOLERANCE


@pytest.mark.parametrize("by", SLERP_FLAGS)
def test_weights_without_a_base_equal_mergekit(
    by: Any, judges: Any, mergekit: Any, weights: Any, tmp_path: Path
) -> None:
    flat, row = SLERP_FLAGS[by]
    states = dict(zip("ab", map(weights, judges["models"]), strict=True))
    given = {"weight": {"a": 0.3, "b": 0.7}, "nuslerp_flatten": flat, "nuslerp_row_wise": row}
    expected = mergekit.merge_state_dicts(states, "nuslerp", parameters=given)
    merge_models(judges["models"], None, NuSlerp(weights=W, granularity=by), tmp_path / "out")
    assert worst(weights(tmp_path / "out"), expected) < TOLERANCE


def test_a_file_for_mergekit_gives_what_mergekit_writes(
    judges: Any, mergekit: Any, weights: Any, tmp_path: Path
) -> None:
    """mergekit runs whole, from its YAML to its shards; ours reads the same YAML."""
    import warnings

    from judgesmith.backends.merging.mergekit_yaml import plan_of

    config = {
        "merge_method": "nuslerp", "base_model": str(judges["base"]), "dtype": "float32",
        "models": [
            {"model": str(path), "parameters": {"weight": weight}}
            for path, weight in zip(judges["models"], W, strict=True)
        ],
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mergekit.config import MergeConfiguration
        from mergekit.merge import MergeOptions, run_merge

        options = MergeOptions(copy_tokenizer=False, lazy_unpickle=True, quiet=True)
        run_merge(MergeConfiguration.model_validate(config), str(tmp_path / "theirs"), options)
    plan = plan_of(config)
    merge_models(plan.paths, plan.base, plan.method, tmp_path / "ours", dtype=plan.dtype)
    found, expected = weights(tmp_path / "ours"), weights(tmp_path / "theirs")
    tied = expected.keys() - found.keys()
    assert tied <= {"lm_head.weight"}
    assert worst(found, {n: t for n, t in expected.items() if n not in tied}) < TOLERANCE
