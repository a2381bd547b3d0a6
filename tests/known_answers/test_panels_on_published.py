"""Panels of judges and annotators on published data, through the public functions.

`triviaqa_judges`: nine judges and one person on 3,600 answers to 400 questions. `pandalm`: three
annotators, gpt-3.5-turbo and PandaLM-7B on 999 pairs.
"""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple

import pytest

from judgesmith.metrics.agreement import accuracy, cohen_kappa
from judgesmith.metrics.alternative_annotator import alternative_annotator_test
from judgesmith.metrics.coverage import mark_unparsed
from judgesmith.metrics.dawid_skene import dawid_skene
from judgesmith.metrics.panel import kappa_matrix, panel_verdict
from judgesmith.metrics.panel_errors import effective_votes, error_correlation
from judgesmith.metrics.panel_members import leave_one_out

TRIVIA_JUDGES = (
    "Mistral-7B", "Llama-7B", "Llama-13B", "Llama3-8B", "Gemma-2B",
    "Llama-70B", "Llama3-70B", "GPT-4", "JudgeLM",
)  # fmt: skip


class Trivia(NamedTuple):
    judges: dict[str, list[str | None]]
    labels: list[str]
    questions: list[Hashable]
    answerers: list[Hashable]


class Pandalm(NamedTuple):
    people: dict[str, list[str | None]]
    judges: dict[str, list[str | None]]


@pytest.fixture(scope="module")
def trivia(shared_data: Path) -> Trivia:
    folder = shared_data / "triviaqa_judges" / "results"
    path = next(folder.glob("TriviaQA_Judges_w_HumanJudgement_V1.csv*"))
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Trivia(
        {name: [row[name] or None for row in rows] for name in TRIVIA_JUDGES},
        [row["HumanJudgement"] for row in rows],
        [row["question"] for row in rows],
        [row["model"] for row in rows],
    )


@pytest.fixture(scope="module")
def pandalm(shared_data: Path) -> Pandalm:
    folder = shared_data / "pandalm" / "data"

    def read(name: str) -> list[dict[str, str]]:
        return json.loads((folder / name).read_text(encoding="utf-8"))

    rows = read("testset-v1.json")
    tie = {"Tie": "0", "garbage": None}
    gpt = {
        row["idx"]: tie.get(row["gpt_result"], row["gpt_result"])
        for row in read("gpt-3.5-turbo-testset-v1.json")
    }
    own = {row["idx"]: str(row["pandalm_result"]) for row in read("pandalm-7b-testset-v1.json")}
    return Pandalm(
        {
            name: [str(row[name]) for row in rows]
            for name in ("annotator1", "annotator2", "annotator3")
        },
        {
            "gpt-3.5-turbo": [gpt[row["idx"]] for row in rows],
            "PandaLM-7B": [own[row["idx"]] for row in rows],
        },
    )


def test_annotators_of_pandalm_agree_as_published(pandalm: Pandalm) -> None:
    (found,) = kappa_matrix(pandalm.people, clusters=range(999), seed=1, resamples=500)
    kappas = [round(float(pair.kappa), 3) for pair in found.pairs]
    assert kappas == [0.852, 0.879, 0.862]
    assert all(pair.not_shown is None and pair.kappa.n == 999 for pair in found.pairs)


def test_majority_of_the_annotators_of_pandalm(pandalm: Pandalm) -> None:
    labels = panel_verdict(pandalm.people)
    assert Counter(labels) == {"2": 472, "1": 422, "0": 105}
    assert accuracy(pandalm.judges["PandaLM-7B"], labels).value == pytest.approx(667 / 999)
    model = dawid_skene(list(zip(*pandalm.people.values(), strict=True)))
    assert model.converged
    assert model.verdicts() == labels


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.15, 0.2])
def test_neither_judge_of_pandalm_may_replace_an_annotator(
    pandalm: Pandalm, epsilon: float
) -> None:
    """The people agree far too well: each is aligned with the others on 97% or more."""
    for name, rho in (("gpt-3.5-turbo", 0.7580), ("PandaLM-7B", 0.7147)):
        found = alternative_annotator_test(pandalm.judges[name], pandalm.people, epsilon=epsilon)
        assert (found.value, found.passes) == (0.0, False)
        assert found.advantage.value == pytest.approx(rho, abs=5e-5)
        assert all(float(one.annotator_advantage) > 0.96 for one in found.annotators)
    assert found.left_out == 0


def test_what_epsilon_and_unparsed_replies_do(pandalm: Pandalm) -> None:
    """At .25 gpt-3.5-turbo matches one of three, without its 25 unparsed replies."""
    judge = pandalm.judges["gpt-3.5-turbo"]
    found = alternative_annotator_test(judge, pandalm.people, epsilon=0.25)
    assert [one.matched for one in found.annotators] == [False, True, False]
    assert (found.left_out, found.annotators[0].n) == (25, 974)
    counted = alternative_annotator_test(mark_unparsed(judge), pandalm.people, epsilon=0.25)
    assert (counted.value, counted.left_out) == (0.0, 0)
    assert counted.advantage.value == pytest.approx(0.7411, abs=5e-5)


def test_the_vote_of_the_annotators_passes(pandalm: Pandalm) -> None:
    """The control: the best judge there can be on these labels does pass."""
    votes = panel_verdict(pandalm.people)
    found = alternative_annotator_test(votes, pandalm.people, epsilon=0.1)
    assert (found.value, found.passes) == (1.0, True)


def test_judges_of_triviaqa_agree_with_the_person_as_published(trivia: Trivia) -> None:
    (found,) = kappa_matrix({**trivia.judges, "person": trivia.labels})
    published = {
        "GPT-4": 0.7876, "Llama3-70B": 0.8179, "JudgeLM": 0.5917,
        "Mistral-7B": 0.7361, "Gemma-2B": 0.4220,
    }  # fmt: skip
    for name, kappa in published.items():
        assert round(float(found.pair(name, "person").kappa), 4) == kappa
    assert found.pair("Llama-70B", "person").left_out == 135


def test_kappa_is_hidden_where_an_answerer_is_nearly_always_right(trivia: Trivia) -> None:
    found = kappa_matrix(trivia.judges, trivia.answerers)
    hidden = [pair for matrix in found[1:] for pair in matrix.pairs if pair.not_shown]
    assert len(found) == 10
    assert len(hidden) == 46
    assert not any(pair.not_shown for pair in found[0].pairs)
    assert all("more than 90%" in str(pair.not_shown) for pair in hidden)


def test_nine_judges_are_three_votes(trivia: Trivia) -> None:
    found = effective_votes(
        trivia.judges, trivia.labels, clusters=trivia.questions, seed=1, resamples=2000
    )
    assert found.members == 9
    assert found.mean_correlation.value == pytest.approx(0.2606, abs=5e-5)
    assert found.value == pytest.approx(2.917, abs=5e-4)
    assert (found.votes.low, found.votes.high) == pytest.approx((2.73, 3.15), abs=0.02)
    assert found.votes.clusters == 400


def test_judges_of_one_family_err_together(trivia: Trivia) -> None:
    found = error_correlation(trivia.judges, trivia.labels)
    phi = {frozenset((p.first, p.second)): float(p.phi) for p in found.pairs}
    assert max(phi, key=phi.__getitem__) == {"Mistral-7B", "Llama-70B"}
    assert phi[frozenset(("Mistral-7B", "Llama-70B"))] == pytest.approx(0.65, abs=0.005)
    assert phi[frozenset(("Llama-70B", "JudgeLM"))] < 0.05


def test_nine_judges_are_not_better_than_the_best(trivia: Trivia) -> None:
    """Panel and Llama3-70B alone both have a kappa of .815, unparsed counted as wrong."""
    found = leave_one_out(trivia.judges, trivia.labels, trivia.questions, seed=1, resamples=1000)
    best = cohen_kappa(mark_unparsed(trivia.judges["Llama3-70B"]), trivia.labels)
    assert float(found.kappa) == pytest.approx(float(best), abs=0.001)
    by_name = {member.member: member for member in found.members}
    helps = {name for name, m in by_name.items() if m.p_holm < 0.05 and m.kappa_change.low > 0}
    assert helps == {"GPT-4"}
    assert by_name["GPT-4"].kappa_change.value == pytest.approx(0.0166, abs=5e-5)
    assert by_name["Llama-70B"].kappa_change.high < 0
    assert (found.no_verdict, found.undecided) == (5, 3)


def test_dawid_skene_without_labels_ranks_the_judges(trivia: Trivia) -> None:
    """As good as the vote, and it sees which judge leans to True: Gemma-2B on half of the False."""
    model = dawid_skene(list(zip(*trivia.judges.values(), strict=True)), TRIVIA_JUDGES)
    assert model.converged
    kept = [(v, y) for v, y in zip(model.verdicts(), trivia.labels, strict=True) if v is not None]
    assert len(kept) == 3595
    assert cohen_kappa([v for v, _ in kept], [y for _, y in kept]).value == pytest.approx(
        0.8131, abs=5e-4
    )
    assert model.labels == ("False", "True")
    lenient = {name: matrix[0][1] for name, matrix in model.confusions.items()}
    assert max(lenient, key=lenient.__getitem__) == "Gemma-2B"
    assert lenient["Gemma-2B"] == pytest.approx(0.50, abs=0.01)
