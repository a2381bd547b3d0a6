"""Numbers printed by others, from their files through shipped mappings: single responses."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from judgesmith.metrics.agreement import accuracy, cohen_kappa
from judgesmith.metrics.correlation import kendall_tau_b, pearson, spearman
from judgesmith.metrics.raters import krippendorff_alpha

Read = Callable[[str], Any]
Align = Callable[..., tuple[list[str], ...]]


# XSTest, TriviaQA, BBQ: labels


@pytest.mark.parametrize(
    ("system", "right", "kappa"),
    [
        ("gpt4", 0.9356, 0.8729),
        ("llama2new", 0.7822, 0.6169),
        ("llama2orig", 0.7711, 0.5795),
        ("mistralguard", 0.7667, 0.5714),
        ("mistralinstruct", 0.7400, 0.0637),
    ],
)
def test_xstest_gpt4_against_the_final_label(
    system: str, right: float, kappa: float, published: Read, align: Align
) -> None:
    """Replies that are no label count as labels of their own: wrong, and never agreed on."""
    read = published("xstest")
    among = read.with_field("system", system)
    judged = {j.item: j.verdict or f"no label: {j.reply}" for j in read.judged("gpt-4")}
    x, y = align(judged, read.verdicts("adjudicated"), among=among)
    assert len(x) == 450
    assert float(accuracy(x, y)) == pytest.approx(right, abs=5e-5)
    assert float(cohen_kappa(x, y)) == pytest.approx(kappa, abs=5e-5)


def test_xstest_people(published: Read, align: Align) -> None:
    """Kappa of the two annotators is between .8923 and .9701 over the five systems."""
    read = published("xstest")
    one, two = read.verdicts("annotator 1"), read.verdicts("annotator 2")
    found = [
        float(cohen_kappa(*align(one, two, among=read.with_field("system", system))))
        for system in ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")
    ]
    assert [min(found), max(found)] == pytest.approx([0.8923, 0.9701], abs=5e-5)


@pytest.mark.parametrize(
    ("judge", "right", "kappa"),
    [
        ("GPT-4", 0.9115, 0.7876),
        ("Llama3-70B", 0.9266, 0.8179),
        ("JudgeLM", 0.8017, 0.5917),
        ("Contains", 0.8478, 0.6832),
        ("EM", 0.7088, 0.4578),
        ("Mistral-7B", 0.8940, 0.7361),
        ("Gemma-2B", 0.7803, 0.4220),
    ],
)
def test_triviaqa_judges(
    judge: str, right: float, kappa: float, published: Read, align: Align
) -> None:
    read = published("triviaqa_judges")
    human = read.verdicts("human")
    assert Counter(human.values()) == {"True": 2507, "False": 1093}
    x, y = align(read.verdicts(judge), human)
    assert len(x) == 3595
    assert float(accuracy(x, y)) == pytest.approx(right, abs=5e-5)
    assert float(cohen_kappa(x, y)) == pytest.approx(kappa, abs=5e-5)


def test_bbq_mturk(published: Read, align: Align) -> None:
    """300 questions, 5 workers each: .9567 right, the majority always, alpha .8831."""
    read = published("bbq_mturk")
    votes, key = read.ratings(None), read.verdicts("authors")
    assert {len(five) for five in votes.values()} == {5}
    pairs = [(vote, key[item]) for item, five in votes.items() for vote in five]
    right = accuracy([vote for vote, _ in pairs], [true for _, true in pairs])
    assert (right.n, float(right)) == (1500, pytest.approx(0.9567, abs=5e-5))
    best = {item: Counter(five).most_common(1)[0][0] for item, five in votes.items()}
    majority = accuracy(*align(best, key))
    assert (majority.n, float(majority)) == (300, 1.0)
    assert float(krippendorff_alpha(list(votes.values()))) == pytest.approx(0.8831, abs=5e-5)


def test_halueval_counts(published: Read) -> None:
    found = Counter(published("halueval").verdicts("people").values())
    assert found == {"no": 3692, "yes": 815}


# Scores


def test_just_eval_scores(published: Read) -> None:
    """800 responses on five aspects and 600 on safety; N/A is no score, never a number."""
    read = published("just_eval")
    found = Counter(j.criterion for j in read.judgments)
    aspects = ("helpfulness", "clarity", "factuality", "depth", "engagement")
    assert found == {**dict.fromkeys(aspects, 800), "safety": 600}
    missing = Counter((j.criterion, str(j.status)) for j in read.judgments if j.verdict is None)
    assert missing == {("factuality", "abstained"): 39, ("depth", "abstained"): 4}
    judges = Counter(j.by for j in read.judgments)
    assert judges == {"gpt-4-1106-preview": 4200, "gpt-3.5-turbo-0613": 400}
    assert all(j.rationale for j in read.judgments)


UNIEVAL = {
    "topical_chat naturalness": (360, 0.443666, 0.513986, 0.373973),
    "topical_chat coherence": (360, 0.595143, 0.612942, 0.465915),
    "topical_chat engagingness": (360, 0.55651, 0.604739, 0.455941),
    "topical_chat groundedness": (360, 0.536209, 0.574954, 0.451533),
    "topical_chat understandability": (360, 0.380038, 0.467807, 0.360741),
    "topical_chat overall": (360, 0.632796, 0.662583, 0.487272),
    "sfres naturalness": (1181, 0.367252, 0.333399, 0.247094),
    "sfres informativeness": (1181, 0.282079, 0.224918, 0.169297),
    "sfres overall": (1181, 0.370815, 0.291593, 0.214708),
    "sfhot naturalness": (875, 0.397428, 0.319813, 0.237635),
    "sfhot informativeness": (875, 0.357353, 0.249329, 0.191217),
    "sfhot overall": (875, 0.406425, 0.320721, 0.236024),
}


@pytest.mark.parametrize("criterion", UNIEVAL)
def test_unieval_correlations(criterion: str, published: Read) -> None:
    """Pearson, Spearman and Kendall as the repository's reproduce/README.md prints them."""
    n, *expected = UNIEVAL[criterion]
    read = published("unieval_human")
    human = read.scores("people", criterion=criterion)
    model = read.scores("UniEval", criterion=criterion)
    x, y = ([column[item][0] for item in human] for column in (human, model))
    assert len(x) == n
    found = [float(f(x, y)) for f in (pearson, spearman, kendall_tau_b)]
    assert found == pytest.approx(expected, abs=1e-6)


def test_shepherd_ratings(published: Read) -> None:
    """947 of 1,317 answers are rated 1 or 2 on justification."""
    read = published("shepherd")
    justified = Counter(read.verdicts("annotator", criterion="justified").values())
    assert justified == {"2": 740, "3": 253, "1": 207, "4": 112, "5": 5}
    correct = Counter(read.verdicts("annotator", criterion="correct and relevant").values())
    assert correct == {"2": 573, "3": 373, "1": 181, "4": 177, "5": 13}
    assert all(j.rationale for j in read.judgments)


# JUDGE-BENCH: many raters


def stored_items(folder: Path, path: str) -> list[Any]:
    """The published majorities and means, from the file that the mapping read."""
    plain, packed = folder / path, folder / f"{path}.gz"
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    return list(json.loads(content)["instances"])


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/dices/dices_350_crowdsourced.json", "dices-350"),
        ("data/dices/dices_990.json", "dices-990"),
        ("data/inferential-strategies/inferential_strategies.json", "inferential-strategies"),
        ("data/roscoe/roscoe-gsm8k-overall.json", "roscoe-gsm8k"),
        ("data/roscoe/roscoe-cosmos-overall.json", "roscoe-cosmos"),
        ("data/roscoe/roscoe-drop-overall.json", "roscoe-drop"),
        ("data/roscoe/roscoe-esnli-overall.json", "roscoe-esnli"),
    ],
)
def test_judge_bench_majorities(path: str, name: str, published: Read) -> None:
    """The stored majority is the most frequent answer, among equals one of them."""
    read = published("judge_bench_human_labels")
    checked = 0
    for instance in stored_items(read.folder, path):
        for metric, stored in instance["annotations"].items():
            votes = read.ratings(f"{name} {metric}").get(f"{name} {instance['id']}")
            if votes is not None:
                count = Counter(votes)
                assert count[stored["majority_human"].capitalize()] == max(count.values())
                checked += 1
    assert checked >= 300 or name.startswith(("roscoe", "inferential"))


@pytest.mark.parametrize(
    ("path", "name", "digits"),
    [
        ("data/newsroom/newsroom.json", "newsroom", 2),
        ("data/recipe_crowd_sourcing_data/meta_evaluation_recipes.json", "recipes", 3),
    ],
)
def test_judge_bench_means(path: str, name: str, digits: int, published: Read) -> None:
    read = published("judge_bench_human")
    for instance in stored_items(read.folder, path):
        for metric, stored in instance["annotations"].items():
            scores = [
                float(v) for v in read.ratings(f"{name} {metric}")[f"{name} {instance['id']}"]
            ]
            mean = sum(scores) / len(scores)
            assert mean == pytest.approx(stored["mean_human"], abs=0.51 * 10**-digits)


@pytest.mark.parametrize(
    ("file", "name", "mapping"),
    [
        ("newsroom", "newsroom", "judge_bench_human"),
        ("recipe-crowd-sourcing-data", "recipes", "judge_bench_human"),
        ("dices-350-crowdsourced", "dices-350", "judge_bench_human_labels"),
        ("dices-990", "dices-990", "judge_bench_human_labels"),
        ("inferential-strategies", "inferential-strategies", "judge_bench_human_labels"),
    ],
)
def test_judge_bench_alpha(file: str, name: str, mapping: str, published: Read) -> None:
    """The published alpha of the raters: ordinal for graded questions, nominal for the others."""
    read = published(mapping)
    stored = json.loads((read.folder / f"results/regular/{file}.json").read_text())
    for metric, result in next(iter(stored.values())).items():
        votes = list(read.ratings(f"{name} {metric}").values())
        if mapping == "judge_bench_human":
            graded = [[float(vote) for vote in of_item] for of_item in votes]
            found = krippendorff_alpha(graded, level="ordinal")
        else:
            found = krippendorff_alpha(votes)
        assert float(found) == pytest.approx(result["krippendorff_alpha"], abs=1e-9)
