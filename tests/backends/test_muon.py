"""Muon against what its definition says, by singular values that torch computes itself."""

import pytest

torch = pytest.importorskip("torch")

from judgesmith.backends.muon import muon, orthogonalise  # noqa: E402


@pytest.mark.parametrize("shape", [(16, 16), (16, 48), (48, 16)])
def test_singular_values_come_near_one(shape: tuple[int, int]) -> None:
    torch.manual_seed(0)
    found = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
    assert found.shape == (16,)
    assert found.min() > 0.3
    assert found.max() < 1.3


def test_a_zero_matrix_stays_zero() -> None:
    assert orthogonalise(torch.zeros(4, 4)).abs().sum() == 0


def _tiny() -> object:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, num_key_value_heads=2, tie_word_embeddings=True,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config)


def test_every_weight_is_in_one_group_and_the_embedding_is_no_matrix() -> None:
    model = _tiny()
    inner, rest = muon(model, 0.001).param_groups
    assert len(inner["params"]) == 7
    assert len(inner["params"]) + len(rest["params"]) == len(list(model.parameters()))
    assert any(weight is model.get_input_embeddings().weight for weight in rest["params"])


def test_a_restored_optimizer_goes_on_as_if_it_had_never_stopped() -> None:
    ids = torch.arange(20)[None]

    def take(model: object, optimizer: object, steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()

    whole = _tiny()
    take(whole, muon(whole, 0.01), 4)
    half = _tiny()
    first = muon(half, 0.01)
    take(half, first, 2)
    again = _tiny()
    again.load_state_dict(half.state_dict())
    second = muon(again, 0.01)
    second.load_state_dict(first.state_dict())
    take(again, second, 2)
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
