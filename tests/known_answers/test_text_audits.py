"""The audits on texts, on published files: what they must find, and what they must not.

The negatives are the 779 of `synthesis_results.jsonl`: texts written for a given wrong verdict of
a bias judge, whose verdict names the MORE biased response. The chosen texts were published only in
part: the 36 labels of the second dry run that are no ties stand for them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from judgesmith.audits.finding import Severity
from judgesmith.audits.instruction_leak import (
    GeneratedText,
    find_instruction_leak,
    instruction_leak_findings,
    instruction_leak_table,
)
from judgesmith.audits.inversion import (
    RationaleRow,
    RationaleTable,
    contradiction_findings,
    inversion_findings,
    rationale_table,
)
from judgesmith.audits.parsing import Misreading, ParsedReply, parsing_findings, parsing_table
from judgesmith.audits.rationale import read_rationale
from judgesmith.audits.separability import ContrastRow, separability_findings, separability_table
from judgesmith.records import Direction

Row = dict[str, Any]
DRY_RUNS = ("dryrun_sonnet", "dryrun_sonnet_v1", "dryrun_opus", "dryrun_opus_v1")
LETTERS = {1: "A", 2: "B", "1": "A", "2": "B"}
REVIEWS = "eval/ratings-gpt4/vicuna/pairwise"


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def data(shared_data: Path) -> Path:
    return shared_data / "judge_from_scratch" / "data"


@pytest.fixture(scope="module")
def negatives(data: Path) -> list[Row]:
    return read(data / "formatted" / "synthesis_results.jsonl")


@pytest.fixture(scope="module")
def labels(data: Path) -> dict[str, list[Row]]:
    return {name: read(data / "labeled" / f"{name}.jsonl") for name in DRY_RUNS}


@pytest.fixture(scope="module")
def responses(data: Path) -> dict[tuple[str, str], str]:
    return {
        (row["question_id"], side["model"]): side["text"]
        for row in read(data / "pairs" / "pairs.jsonl")
        for side in (row["response_a"], row["response_b"])
    }


def decided(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["verdict"] in ("A", "B")]


def argued(rows: list[Row], direction: Direction = Direction.WORSE) -> RationaleTable:
    return rationale_table(
        [RationaleRow(row["reasoning"], row["verdict"], row["pair_id"]) for row in rows], direction
    )


def reviews(shared_data: Path) -> Iterator[Row]:
    for path in sorted((shared_data / "qlora_gpt4_vicuna" / REVIEWS).glob("*.jsonl")):
        for i, row in enumerate(read(path)):
            yield {**row, "where": f"{path.name}:{i + 1}"}


def blog_reviews(shared_data: Path) -> Iterator[Row]:
    folder = shared_data / "vicuna_blog_eval" / "eval" / "table" / "review"
    for path in sorted(folder.glob("*/*.jsonl")):
        for i, row in enumerate(read(path)):
            yield {**row, "where": f"{path.name}:{i + 1}"}


def test_the_keyword_of_the_published_negatives(
    negatives: list[Row], labels: dict[str, list[Row]]
) -> None:
    """A word that begins with "bias" stands in 35 of 36 labels and in 41 of 779 negatives.

    As a classifier it is right in (35/36 + 738/779) / 2 = 95.98% on average. Picked on four fifths
    and measured on the rest, as it must be, the best keyword is right in 93% to 96%.
    """
    rows = [
        *(
            ContrastRow(r["pair_id"], r["reasoning"], None, "x")
            for r in decided(labels[DRY_RUNS[0]])
        ),
        *(ContrastRow(r["pair_id"], None, r["reasoning"], "y") for r in negatives),
    ]
    table = separability_table(rows)
    assert (table.chosen, table.rejected, table.pairs) == (36, 779, 25)
    best = table.strongest[0]
    assert (best.keyword, best.chosen, best.rejected) == ("bias*", 35, 41)
    assert table.apparent == pytest.approx((35 / 36 + 738 / 779) / 2)
    assert table.hits == (34, 743)
    assert table.accuracy.value == pytest.approx((34 / 36 + 743 / 779) / 2)
    assert table.accuracy.low == pytest.approx(0.8776, abs=1e-4)
    assert [f.severity for f in separability_findings(table)] == [Severity.ERROR]


def test_the_features_that_research_counted(
    negatives: list[Row], labels: dict[str, list[Row]]
) -> None:
    """5.3% and 97.2%; 33.2% and 100%."""
    real = decided(labels[DRY_RUNS[0]])
    for pattern, in_negatives, in_labels in ((r"\bbias", 41, 35), ("stereotyp", 259, 36)):
        found = re.compile(pattern, re.IGNORECASE)
        assert sum(bool(found.search(row["reasoning"])) for row in negatives) == in_negatives
        assert sum(bool(found.search(row["reasoning"])) for row in real) == in_labels


def test_inversion_of_the_published_negatives(negatives: list[Row]) -> None:
    """383 of 779 praise the response that their verdict calls more biased; 252 do not."""
    table = argued(negatives)
    assert (table.decided, table.read, table.against) == (779, 635, 383)
    found = inversion_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.ERROR, 383, 779)]


@pytest.mark.parametrize(
    ("name", "n", "read_by_us"),
    [
        ("dryrun_sonnet", 36, 35),
        ("dryrun_sonnet_v1", 36, 34),
        ("dryrun_opus", 35, 34),
        ("dryrun_opus_v1", 33, 33),
    ],
)
def test_no_real_label_is_called_inverted(
    labels: dict[str, list[Row]], name: str, n: int, read_by_us: int
) -> None:
    table = argued(labels[name])
    assert (table.decided, table.read, table.against) == (n, read_by_us, 0)
    assert inversion_findings(table) == contradiction_findings(table) == ()


def test_real_labels_read_in_the_wrong_direction_are_stopped(labels: dict[str, list[Row]]) -> None:
    table = argued(labels[DRY_RUNS[0]], Direction.BETTER)
    assert (table.read, table.against) == (35, 35)
    assert [f.severity for f in contradiction_findings(table)] == [Severity.ERROR]


def test_contradictions_in_the_judgments_of_four_judges(shared_data: Path) -> None:
    """1.5% of 5,352 are read against their verdict: a figure to know, and never a warning."""
    panda = shared_data / "pandalm" / "data"
    teacher = json.loads((panda / "gpt-3.5-turbo-testset-v1.json").read_text(encoding="utf-8"))
    student = json.loads((panda / "pandalm-7b-testset-v1.json").read_text(encoding="utf-8"))
    blog = [
        ("A" if row["score"][0] > row["score"][1] else "B", row["text"])
        for row in blog_reviews(shared_data)
        if row["score"][0] != row["score"][1]
    ]
    judges = {
        "gpt-3.5": [(LETTERS.get(r["gpt_result"]), r["gpt_reason"]) for r in teacher],
        "pandalm-7b": [(LETTERS.get(r["pandalm_result"]), r["pandalm_reason"]) for r in student],
        "gpt-4, verdicts": [(LETTERS.get(r["score"]), r["text"]) for r in reviews(shared_data)],
        "gpt-4, scores": blog,
    }
    counts = {}
    for name, rows in judges.items():
        table = rationale_table(
            [RationaleRow(text or "", letter, "x") for letter, text in rows if letter],
            Direction.BETTER,
        )
        counts[name] = (table.decided, table.read, table.against)
        assert {f.severity for f in contradiction_findings(table)} <= {Severity.INFO}
    assert counts == {
        "gpt-3.5": (936, 575, 8),
        "pandalm-7b": (892, 720, 0),
        "gpt-4, verdicts": (3867, 3211, 68),
        "gpt-4, scores": (940, 846, 3),
    }


def test_a_contradiction_that_is_one(shared_data: Path) -> None:
    path = shared_data / "pandalm" / "data" / "gpt-3.5-turbo-testset-v1.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    wrong = [
        row["gpt_reason"]
        for row in rows
        if row["gpt_result"] == "1" and read_rationale(row["gpt_reason"]).better == "B"
    ]
    assert any(text.startswith("Response 2 is better because") for text in wrong)


def test_instruction_leaks_in_the_published_negatives(negatives: list[Row]) -> None:
    rows = [
        GeneratedText(row["reasoning"], f"synthesis_results.jsonl:{i + 1}")
        for i, row in enumerate(negatives)
    ]
    table = instruction_leak_table(rows)
    assert (len(table.leaks), table.n) == (19, 779)
    found = instruction_leak_findings(table)
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 19, 779)]
    assert found[0].examples[0] == "synthesis_results.jsonl:25"


def test_no_leak_is_found_where_there_is_none(
    labels: dict[str, list[Row]], responses: dict[tuple[str, str], str], shared_data: Path
) -> None:
    """None of 200 labels, 2,857 responses, and 5,520 reviews by GPT-4."""
    real = [row["reasoning"] for rows in labels.values() for row in rows]
    judged = [row["text"] for source in (reviews, blog_reviews) for row in source(shared_data)]
    assert (len(real), len(responses), len(judged)) == (200, 2857, 5520)
    assert not any(map(find_instruction_leak, (*real, *responses.values(), *judged)))


def published_letter(text: str) -> tuple[str, int, bool]:
    """The published parser of the responses: letter, its place, and whether a tag gave it."""
    text = re.sub("[\u201c\u201d]", '"', re.sub("[\u2018\u2019]", "'", text))
    tag = re.search(r"<\s*answer\s*>\s*([abc])", text, re.IGNORECASE)
    if tag:
        return tag[1].upper(), tag.start(1), True
    tail = re.compile(
        r"(?:final answer\s*:|answer\s*:|[\"'*(])?\s*([abc])\s*(?:[)\"'*.]|$)", re.IGNORECASE
    ).search(text.rstrip(), max(0, len(text.rstrip()) - 120))
    found = tail or re.match(r"\s*([abc])\.", text, re.IGNORECASE)
    assert found is not None
    return found[1].upper(), found.start(1), tail is None


def test_letters_that_were_read_inside_words(responses: dict[tuple[str, str], str]) -> None:
    """28 of the 518 letters from the tail of a response; without the place, the 19 alone in words.

    In the other 9 the same letter happens to stand alone elsewhere. Two more letters were read
    from a word inside an answer tag ("<answer>Cannot answer").
    """
    read_at = {key: published_letter(text) for key, text in responses.items()}
    tail = [key for key, (_, _, other) in read_at.items() if not other]
    rest = [key for key, (_, _, other) in read_at.items() if other]

    def count(keys: list[tuple[str, str]], *, placed: bool) -> tuple[int, int]:
        table = parsing_table(
            [
                ParsedReply(responses[k], read_at[k][0], "::".join(k), at=place)
                for k in keys
                for place in [read_at[k][1] if placed else None]
            ]
        )
        entry = table.count(Misreading.IN_WORD)
        return entry.count, entry.of

    assert count(tail, placed=True) == (28, 518)
    assert count(rest, placed=True) == (2, 2339)
    assert count(tail, placed=False) == (19, 518)
    assert count(rest, placed=False) == (0, 2339)


def test_ties_that_are_said_and_ties_that_are_not(
    labels: dict[str, list[Row]], shared_data: Path
) -> None:
    """Of 905 published ties one is unsaid; of 25 unreadable replies counted as ties all are.

    The unsaid one, of GPT-3.5, calls one response incomplete and the other of a wrong format.
    """
    panda = shared_data / "pandalm" / "data"
    teacher = json.loads((panda / "gpt-3.5-turbo-testset-v1.json").read_text(encoding="utf-8"))
    student = json.loads((panda / "pandalm-7b-testset-v1.json").read_text(encoding="utf-8"))
    replies = {
        "labels": [
            r["reasoning"] for rows in labels.values() for r in rows if r["verdict"] == "TIE"
        ],
        "gpt-3.5": [r["gpt_reason"] for r in teacher if r["gpt_result"] == "Tie"],
        "pandalm-7b": [r["pandalm_reason"] for r in student if r["pandalm_result"] == 0],
        "gpt-4, verdicts": [r["text"] for r in reviews(shared_data) if r["score"] == 3],
        "gpt-4, scores": [
            r["text"] for r in blog_reviews(shared_data) if r["score"][0] == r["score"][1]
        ],
        "garbage": [r["gpt_reason"] for r in teacher if r["gpt_result"] == "garbage"],
    }
    counts = {}
    for name, texts in replies.items():
        rows = [ParsedReply(text, "TIE", f"{name}:{i}") for i, text in enumerate(texts)]
        table = parsing_table(rows, tie_marks=("3",))
        entry = table.count(Misreading.TIE_UNSAID)
        counts[name] = (entry.count, entry.of)
        if name == "garbage":
            assert [f.severity for f in parsing_findings(table)] == [Severity.ERROR]
    assert counts == {
        "labels": (0, 60),
        "gpt-3.5": (1, 38),
        "pandalm-7b": (0, 107),
        "gpt-4, verdicts": (0, 600),
        "gpt-4, scores": (0, 100),
        "garbage": (25, 25),
    }
