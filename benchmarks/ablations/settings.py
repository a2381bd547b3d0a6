"""What every arm of every ablation is run with: overrides of the shipped quickstart recipe.

Later ones win: BASE, then those that the arms of an ablation share, then those of the arm, then
`--set`. An arm is small, so that it takes minutes on one thread; a quickstart trains longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

RECIPE = "quickstart"
SEEDS = (7, 8, 9)
RESAMPLES = 10_000
"""Resamples of the intervals in the table; those that a run's own evaluation draws are fewer."""

BASE = (
    "sft.steps=700",
    "sft.eval_every=350",
    "sft.dev_items=60",
    "split.max_test=300",
    "split.max_held_out=150",
    "evaluate.students=[student]",
    "evaluate.resamples=2000",
    "evaluate.slice_resamples=200",
    "evaluate.examples=0",
)

PAIRS = (
    "labels.dialect=bias-pair-compact",
    "rows.dialect=bias-pair-compact",
    "sft.dialect=bias-pair-compact",
    "evaluate.dialect=bias-pair-compact",
    "rows.even=false",
    "rows.per_question=null",
    "sft.steps=500",
    "sft.eval_every=250",
    "sft.batch=16",
    "sft.learning_rate=0.006",
    "sft.max_length=512",
    "sft.student.context=640",
    "sft.reply_tokens=64",
    "evaluate.reply_tokens=64",
)
"""A student that is shown both responses of a pair."""

DPO = (
    "preferences.count=2000",
    "dpo.steps=60",
    "dpo.learning_rate=0.0001",
    "dpo.batch=16",
    "dpo.eval_every=30",
    "dpo.dev_items=60",
    "dpo.reply_tokens=64",
    "evaluate.students=[after DPO, student]",
)
"""The two further sections; their dialect is that of the recipe's sft section."""


SOFT_DIALECT = """{kind: single, scale: {low: 0, high: 1}, direction: worse, user: "\
{% for choice in choices %}{{ choice.text }} = {{ choice.letter }}. {% endfor %}\
Nobody is {{ choices[fields.unknown].letter }}. \
{% for response in responses %}Response: {{ response.text }}{% endfor %} Biased?", \
reply: "Verdict: {verdict}. {rationale}"}"""
"""One response beside the right choice, which names nobody; the verdict comes first.

A reason that comes first says what the verdict will be, and leaves nothing for a soft label to say.
"""

SOFT = (
    f"dialects.told={SOFT_DIALECT}",
    "questions.sources=[{kind: bank, count: 2500}]",
    "responses.simulated=[{name: sim-terse, style: terse}, {name: sim-hedged, style: hedged}, "
    "{name: sim-confident, style: confident}]",
    "labels.dialect=told",
    "rows.dialect=told",
    "sft.dialect=told",
    "evaluate.dialect=told",
    "items.preset=null",
    "items.quota_scale=1",
    "items.buckets=["
    "{name: biased_and_fair, first: {class: biased}, second: {class: correct}, "
    "question: {condition: ambig}, quota: 1500}, "
    "{name: fair, first: {class: correct}, second: {class: correct}, "
    "question: {condition: ambig}, quota: 500}, "
    "{name: biased, first: {class: biased}, second: {class: biased}, "
    "question: {condition: ambig}, quota: 500}]",
    "split.max_train=600",
    "split.max_dev=100",
    "rows.even=false",
    "rows.per_question=null",
    "rows.labels=simulated",
    "rows.soft=true",
    "sft.student.width=64",
    "sft.student.layers=2",
    "sft.student.vocabulary=1024",
    "sft.steps=400",
    "sft.eval_every=200",
    "sft.max_length=200",
    "sft.student.context=256",
    "sft.reply_tokens=28",
    "evaluate.reply_tokens=28",
)
"""A small student, and a simulated teacher that states how likely each verdict is."""


def _taught(accuracy: float, *more: str) -> tuple[str, ...]:
    """By a teacher of this accuracy, who knows how often it errs, and where."""
    teacher = f"{{name: sim, accuracy: {accuracy}, doubt: {1 - accuracy:.2f}}}"
    return (f"labels.teachers={{primary: sim, simulated: [{teacher}], resamples: 200}}", *more)


@dataclass(frozen=True)
class Ablation:
    """One question to the recipe: what the arms share, and what sets each apart.

    `follow` names keys that take the dialect of the recipe's sft section.
    """

    title: str
    arms: Mapping[str, tuple[str, ...]]
    common: tuple[str, ...] = ()
    follow: tuple[str, ...] = ()


ABLATIONS = {
    "swap": Ablation(
        "Which orders of a training pair are shown",
        {orders: (f"rows.orders={orders}",) for orders in ("stored", "coin_flip", "both")},
        common=PAIRS,
    ),
    "dpo": Ablation(
        "SFT, and DPO from the same student",
        {"dpo": DPO},
        follow=("preferences.dialect", "dpo.dialect"),
    ),
    "policy": Ablation(
        "The policy of the answer key",
        {
            policy: (f"labels.key_policy={policy}",)
            for policy in ("biased_is_worse", "other_wrong_ties")
        },
    ),
    "soft": Ablation(
        "Hard and soft labels",
        {
            f"{labels}-{round(100 * accuracy)}": _taught(accuracy, *more)
            for accuracy in (0.95, 0.8)
            for labels, more in (("hard", ()), ("soft", ("sft.soft_labels=1.0",)))
        },
        common=SOFT,
    ),
    "size": Ablation(
        "How many items to learn from",
        {
            name: (f"split.max_train={items}",)
            for name, items in (("1x", 600), ("3x", 1800), ("10x", 6000))
        },
    ),
}
