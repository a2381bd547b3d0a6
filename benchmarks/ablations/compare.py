"""The rows of each ablation's table, from the outcomes of its arms."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

from benchmarks.ablations.arms import DOMAINS, Outcome, Place
from benchmarks.ablations.pooled import Errors, Gap, Labels, Pool, Reads
from benchmarks.ablations.table import Row

STUDENT, AFTER, RULE = "student", "after DPO", "answer-choice rule"
KAPPA, FLIPS, ERROR = "kappa", "flip rate", "squared error"
Compare = Callable[[Sequence[Outcome]], list[Row]]


class Arms:
    """Outcomes by arm, the seeds of each put together."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.names = list(dict.fromkeys(outcome.arm for outcome in outcomes))
        self.by_arm = {
            name: [outcome for outcome in outcomes if outcome.arm == name] for name in self.names
        }

    def reads(self, arm: str, judge: str = STUDENT) -> Reads:
        """Verdicts of one judge of an arm over all seeds."""
        return dict(chain.from_iterable(o.reads[judge].items() for o in self.by_arm[arm]))

    def errors(self, arm: str, judge: str = STUDENT) -> Errors:
        """Squared errors of one judge's scores over all seeds."""
        return dict(chain.from_iterable(o.errors[judge].items() for o in self.by_arm[arm]))

    def labels(self, arm: str) -> Labels:
        """Labels of an arm over all seeds."""
        return dict(chain.from_iterable(o.labels.items() for o in self.by_arm[arm]))

    def pools(self) -> dict[str, Pool]:
        """Test items by domain; every arm has the same."""
        found: Mapping[str, list[Place]] = {
            domain: [place for o in self.by_arm[self.names[0]] for place in o.places[domain]]
            for domain in DOMAINS.values()
        }
        return {domain: Pool(places) for domain, places in found.items() if places}


def kappa_rows(
    domain: str, pool: Pool, judges: Mapping[str, Reads], labels: Labels, *, measure: str = KAPPA
) -> list[Row]:
    """Kappa of every judge, and its difference to the first."""
    base = next(iter(judges))
    return [
        Row(
            domain, measure, name, pool.questions, pool.kappa(reads, labels),
            None if name == base else pool.kappa_gap(reads, judges[base], labels, to=base),
        )
        for name, reads in judges.items()
    ]  # fmt: skip


def flip_rows(domain: str, pool: Pool, judges: Mapping[str, Reads]) -> list[Row]:
    """Flip rate of every judge, and its difference to the first."""
    base = next(iter(judges))
    gaps: dict[str, Gap] = {
        name: pool.flip_gap(reads, judges[base], to=base)
        for name, reads in judges.items()
        if name != base
    }
    return [
        Row(domain, FLIPS, name, pool.questions, pool.flips(reads), gaps.get(name))
        for name, reads in judges.items()
    ]


def compare_arms(outcomes: Sequence[Outcome]) -> list[Row]:
    """Kappa of every arm's student, against the first arm's."""
    arms = Arms(outcomes)
    judges = {name: arms.reads(name) for name in arms.names}
    labels = arms.labels(arms.names[0])
    return [
        row for domain, pool in arms.pools().items()
        for row in kappa_rows(domain, pool, judges, labels)
    ]  # fmt: skip


def compare_orders(outcomes: Sequence[Outcome]) -> list[Row]:
    """Flip rates of raw single-order verdicts, then kappa of order-averaged ones."""
    arms = Arms(outcomes)
    judges = {name: arms.reads(name) for name in arms.names}
    flips = [
        row for domain, pool in arms.pools().items() for row in flip_rows(domain, pool, judges)
    ]
    return flips + compare_arms(outcomes)


def compare_dpo(outcomes: Sequence[Outcome]) -> list[Row]:
    """The student before and after DPO, of the same runs."""
    arms = Arms(outcomes)
    (arm,) = arms.names
    judges = {name: arms.reads(arm, name) for name in (STUDENT, AFTER)}
    return [
        row for domain, pool in arms.pools().items()
        for row in kappa_rows(domain, pool, judges, arms.labels(arm))
    ]  # fmt: skip


def compare_policies(outcomes: Sequence[Outcome]) -> list[Row]:
    """Against each policy's key: the student trained on it, the other one, and the rule."""
    arms = Arms(outcomes)
    rows = []
    for domain, pool in arms.pools().items():
        for key in arms.names:
            learned = [key, *(name for name in arms.names if name != key)]
            judges = {f"trained on {name}": arms.reads(name) for name in learned}
            judges[RULE] = arms.reads(key, RULE)
            measure = f"{KAPPA}, key {key}"
            rows += kappa_rows(domain, pool, judges, arms.labels(key), measure=measure)
    return rows


def compare_soft(outcomes: Sequence[Outcome]) -> list[Row]:
    """Per teacher the student of hard labels and that of soft ones: kappa, then squared error."""
    arms = Arms(outcomes)
    rows = []
    for domain, pool in arms.pools().items():
        for block in zip(arms.names[::2], arms.names[1::2], strict=True):
            judges = {name: arms.reads(name) for name in block}
            rows += kappa_rows(domain, pool, judges, arms.labels(block[0]))
        for hard, soft in zip(arms.names[::2], arms.names[1::2], strict=True):
            first, second = arms.errors(hard), arms.errors(soft)
            gap = pool.error_gap(second, first, to=hard)
            rows.append(Row(domain, ERROR, hard, pool.questions, pool.error(first), None))
            rows.append(Row(domain, ERROR, soft, pool.questions, pool.error(second), gap))
    return rows


COMPARE: Mapping[str, Compare] = {
    "swap": compare_orders,
    "dpo": compare_dpo,
    "policy": compare_policies,
    "size": compare_arms,
    "soft": compare_soft,
}
