"""Muon: an optimizer that lets a small model with random weights learn from few steps.

The update of a weight matrix is its momentum with all singular values brought near one, so that
every direction is learned at a similar pace (Jordan et al. 2024, "Muon: an optimizer for hidden
layers"). Embeddings and vectors are trained by AdamW, as that work advises. torch's own Muon takes
no vectors and computes in bfloat16, which CPUs without it emulate slowly; this one is float32.
"""

from typing import Any

from judgesmith.backends.loading import load

MATRIX_RATE = 5.0
"""The step of a matrix entry as a multiple of `learning_rate`."""
MOMENTUM, BETAS, DECAY, EPSILON = 0.95, (0.9, 0.98), 0.1, 1e-8
_QUINTIC = (3.4445, -4.7750, 2.0315)
_ROUNDS = 5


def orthogonalise(matrix: Any) -> Any:
    """The matrix with its singular values brought near one (0.7 to 1.2), by Newton-Schulz steps.

    Each step maps every singular value s to 3.4445 s - 4.7750 s^3 + 2.0315 s^5; five steps carry
    everything above about 0.01 of the Frobenius norm into that range. A zero matrix stays zero.
    """
    a, b, c = _QUINTIC
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    found = wide / (wide.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = found @ found.T
        found = a * found + (b * square + c * square @ square) @ found
    return found if matrix.shape[0] <= matrix.shape[1] else found.T


def muon(model: Any, learning_rate: float) -> Any:
    """An optimizer for all weights of a model: Muon for inner matrices, AdamW for the rest."""
    torch = load("torch")
    inner = {
        id(weight)
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings()
        for weight in (module.weight,)
    }
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    groups = [
        {"params": [w for w in weights if id(w) in inner], "matrix": True,
         "lr": learning_rate * MATRIX_RATE},
        {"params": [w for w in weights if id(w) not in inner], "matrix": False},
    ]  # fmt: skip

    class Muon(torch.optim.Optimizer):  # type: ignore[misc, name-defined]
        """One step per group; its state is what `torch.optim` saves and loads."""

        def step(self, closure: Any = None) -> None:
            with torch.no_grad():
                for group in self.param_groups:
                    update = _matrix_step if group["matrix"] else _adam_step
                    for weight in group["params"]:
                        if weight.grad is not None:
                            update(torch, weight, self.state[weight], group["lr"])

    return Muon([group for group in groups if group["params"]], {"lr": learning_rate})


def _matrix_step(torch: Any, weight: Any, state: dict[str, Any], rate: float) -> None:
    if not state:
        state["momentum"] = torch.zeros_like(weight)
    momentum = state["momentum"]
    momentum.lerp_(weight.grad, 1 - MOMENTUM)
    update = orthogonalise(weight.grad.lerp(momentum, MOMENTUM))
    rows, columns = weight.shape
    weight.mul_(1 - rate * DECAY)
    weight.add_(update, alpha=-rate * max(1.0, rows / columns) ** 0.5)


def _adam_step(torch: Any, weight: Any, state: dict[str, Any], rate: float) -> None:
    if not state:
        state["step"] = torch.zeros(())
        state["mean"], state["square"] = torch.zeros_like(weight), torch.zeros_like(weight)
    state["step"] += 1
    (slow, fast), taken = BETAS, float(state["step"])
    state["mean"].lerp_(weight.grad, 1 - slow)
    state["square"].mul_(fast).addcmul_(weight.grad, weight.grad, value=1 - fast)
    scale = (state["square"] / (1 - fast**taken)).sqrt_().add_(EPSILON)
    weight.addcdiv_(state["mean"], scale, value=-rate / (1 - slow**taken))
