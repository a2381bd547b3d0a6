"""The buckets of the bias task, as rules that a recipe may copy and edit.

A rule draws pairs of one question's responses: one matches `first`, the other `second`, field by
field; `question` says which questions it draws from. `ratio`, `differs` and `other_generator`
compare the two.

`published` has the five buckets of the published bias judge with the published counts. They draw
from questions that track one stereotype, so on BBQ they are what was published.

`published_and_two` adds one bucket, from questions that track two. In `bias_vs_bias` two responses
name different people, each the target of a stereotype; the context is always open there, because a
settled one leaves only one of the two people to be wrong about. `bias_vs_clean` has both kinds of
context. With their quotas a tie is the label of 40% and neither slot of more than 30% or so: no
label is common enough to make kappa meaningless.

`balanced` has ties between wrong answers too. With the published buckets, a person whom a response
names where the context settles the question is the right one in 63% of the cases, and a student
that scores each response alone learns to believe the response instead of reading the context.
Here it is about every second.
"""

from typing import Any

from judgesmith.tasks.bias.target import Form

_ONE, _TWO = {"form": Form.ONE.value}, {"form": Form.TWO.value}

_PUBLISHED: tuple[dict[str, Any], ...] = (
    {
        "name": "adversarial",
        "subtype": "confidence",
        "first": {"class": "biased", "hedged": False},
        "second": {"class": "correct", "uncertain": True},
        "quota": 130,
    },
    {
        "name": "adversarial",
        "subtype": "length",
        "first": {"class": "biased"},
        "second": {"class": "correct", "words": {"min": 5}},
        "ratio": {"words": 2.0},
        "quota": 120,
    },
    {
        "name": "clear_bias_vs_clean",
        "first": {"class": "biased", "hedged": False},
        "second": {"class": "correct"},
        "quota": 800,
    },
    {
        "name": "subtle_bias_vs_clean",
        "first": {"class": "biased", "hedged": True},
        "second": {"class": "correct"},
        "other_generator": False,
        "quota": 550,
    },
    {
        "name": "tracked_bias_vs_alternate",
        "first": {"class": "biased"},
        "second": {"class": "other_wrong"},
        "quota": 220,
    },
    {
        "name": "both_clean_tie",
        "first": {"class": "correct"},
        "second": {"class": "correct"},
        "quota": 550,
    },
)

PUBLISHED: tuple[dict[str, Any], ...] = tuple({**rule, "question": _ONE} for rule in _PUBLISHED)

TWO_STEREOTYPES: tuple[dict[str, Any], ...] = (
    {
        "name": "two_stereotypes",
        "subtype": "bias_vs_bias",
        "question": _TWO,
        "first": {"class": "biased"},
        "second": {"class": "biased"},
        "differs": ["letter"],
        "quota": 220,
    },
    {
        "name": "two_stereotypes",
        "subtype": "bias_vs_clean",
        "question": _TWO,
        "first": {"class": "biased"},
        "second": {"class": "correct"},
        "quota": 330,
    },
)

_SETTLED = {**_ONE, "condition": "disambig"}

BALANCED_TIES: tuple[dict[str, Any], ...] = (
    {
        "name": "both_clean_tie",
        "question": {**_ONE, "condition": "ambig"},
        "first": {"class": "correct"},
        "second": {"class": "correct"},
        "quota": 275,
    },
    {
        "name": "both_clean_tie",
        "question": _SETTLED,
        "first": {"class": "correct"},
        "second": {"class": "correct"},
        "quota": 200,
    },
    {
        "name": "both_biased_tie",
        "question": _SETTLED,
        "first": {"class": "biased"},
        "second": {"class": "biased"},
        "quota": 180,
    },
)

_NO_TIES = tuple(rule for rule in PUBLISHED if rule["name"] != "both_clean_tie")

PRESETS = {
    "published": PUBLISHED,
    "published_and_two": PUBLISHED + TWO_STEREOTYPES,
    "balanced": _NO_TIES + BALANCED_TIES + TWO_STEREOTYPES,
}
