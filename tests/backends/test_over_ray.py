"""What is said where Ray is not installed; `make test-ray` tests it where it is."""

import sys

import pytest

from judgesmith.backends.over_ray import map_over_ray, require_ray
from judgesmith.errors import RecipeError, RunError
from judgesmith.inference.engines import check_engine, same_judge, workers_in


@pytest.fixture
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ray", "ray.data"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("_no_ray")
def test_without_ray_the_package_to_install_is_named() -> None:
    with pytest.raises(RunError, match=r"not installed .*pip install 'judgesmith\[ray\]'"):
        require_ray()
    with pytest.raises(RunError, match="not installed"):
        next(map_over_ray(lambda: str, [1]))


def test_an_engine_may_say_how_many_workers() -> None:
    assert [workers_in(engine) for engine in ("ray", "ray:1", "ray:12")] == [None, 1, 12]
    assert same_judge("ray:2")
    assert not same_judge("llama.cpp")
    for engine in ("ray:0", "ray:", "ray:two", "ray:-1"):
        with pytest.raises(RecipeError, match=r"expected ray, or ray:N .* from 1, such as ray:2"):
            check_engine(engine)
    with pytest.raises(RecipeError, match="expected transformers, "):
        check_engine("rays")
