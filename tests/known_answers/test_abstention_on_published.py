"""Abstention on the 300 published pairs: a threshold from half of the questions, held on the rest.

The judge is the plurality of all 42 published votes on a pair: three checkpoints in two runs, each
with a verdict in stored and in swapped order and five samples. Its confidence is the share of the
42 that the named verdict has; a reply that could not be read votes for nothing. Labels: one person.
"""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import pytest
from tests.known_answers.conftest import Published

from judgesmith.metrics import abstention, one_per_cluster, wilson
from judgesmith.records import keyed_rng

VOTES = 42
SEEDS = range(20)


class Panel(NamedTuple):
    """Each pair: the panel's confidence, whether it is right, the question."""

    stated: list[float]
    right: list[bool]
    question: list[str]

    def half(self, seed: int, side: int) -> "Panel":
        """The pairs of one half of the questions."""
        names = sorted(set(self.question))
        keyed_rng(seed, "halves").shuffle(names)
        chosen = set(names[side::2])
        kept = [i for i, name in enumerate(self.question) if name in chosen]
        return Panel(*([column[i] for i in kept] for column in self))


@pytest.fixture(scope="module")
def panel(published: Callable[[str], Published]) -> Panel:
    found = published("judge_from_scratch")
    votes: dict[str, Counter[str]] = {}
    for judgment in found.judgments:
        if judgment.role == "judge":
            of_item = votes.setdefault(judgment.item, Counter())
            if judgment.verdict is not None:
                of_item[judgment.verdict] += 1
    labels = {item: said[0] for item, said in found.ratings(None).items()}
    assert len(labels) == 300
    rows = []
    for item, label in sorted(labels.items()):
        said, count = min(votes[item].items(), key=lambda one: (-one[1], one[0]))
        rows.append((count / VOTES, said == label, str(found.items[item].cluster)))
    return Panel(*map(list, zip(*rows, strict=True)))


class Held(NamedTuple):
    """What a threshold did on the other half; nothing where none was given."""

    above: float | None
    coverage: float
    risk: float | None
    low: float | None


def tried(panel: Panel, risk: float, seed: int) -> Held:
    fitted, other = panel.half(seed, 0), panel.half(seed, 1)
    assert not set(fitted.question) & set(other.question)
    one = one_per_cluster(fitted.question, seed)
    found = abstention([fitted.stated[i] for i in one], [fitted.right[i] for i in one], risk=risk)
    kept = [i for i in one_per_cluster(other.question, seed) if found.gives(other.stated[i])]
    if not kept:
        return Held(found.above, 0.0, None, None)
    wrong = wilson(sum(not other.right[i] for i in kept), len(kept))
    return Held(found.above, len(kept) / len(set(other.question)), wrong.value, wrong.low)


def test_the_panel(panel: Panel) -> None:
    assert len(panel.stated) == 300
    assert len(set(panel.question)) == 250
    assert sum(panel.right) == 231


@pytest.mark.parametrize("risk", [0.1, 0.15, 0.2, 0.25, 0.3])
def test_the_promise_on_the_other_half(panel: Panel, risk: float) -> None:
    """At delta .05, one of 20 splits may break it; the splits share their pairs, so two are let go.

    Broken is what the other half shows: the lower end of its 95% interval above the risk.
    """
    held = [tried(panel, risk, seed) for seed in SEEDS]
    given = [one for one in held if one.risk is not None]
    assert sum((one.low or 0) > risk for one in given) <= 2
    assert len(given) == {0.1: 0, 0.15: 1, 0.2: 11, 0.25: 17, 0.3: 20}[risk]
    if risk >= 0.25:
        assert sum(one.coverage for one in given) / len(given) > 0.65


def test_without_enough_evidence_it_says_how_much_would_do(panel: Panel) -> None:
    one = one_per_cluster(panel.question, 0)
    found = abstention([panel.stated[i] for i in one], [panel.right[i] for i in one], risk=0.1)
    assert found.above is None
    assert (found.kept, found.wrong, found.questions_needed) == (119, 10, 4874)
