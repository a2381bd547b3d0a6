"""The five buckets of the published bias judge, as rules that a recipe may copy and edit.

A rule draws pairs of one question's responses: one matches `first`, the other `second`, field by
field. `ratio` and `other_generator` compare the two. Quotas are the published counts.
"""

from typing import Any

PUBLISHED: tuple[dict[str, Any], ...] = (
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

PRESETS = {"published": PUBLISHED}
