"""Replies of real judges, read in dialects of the library or in the YAML files beside this one.

Each test pins how many replies have which status, compares what is read with what the publishers
read, and gives every reply without verdict, and every difference, a reason by name.
"""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.records import Choice, Scores
from judgesmith.tasks.bias.dialects import BIAS_PAIR

pytestmark = pytest.mark.wide
OWN = Path(__file__).parent / "dialects"


def own(name: str) -> Dialect:
    """A dialect of a YAML file, as a recipe writes it."""
    return Dialect(name=name, **yaml.safe_load((OWN / f"{name}.yaml").read_text()))


def rows(path: Path) -> list[Any]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    try:
        whole = json.loads(text)
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    return whole if isinstance(whole, list) else [whole]


def all_rows(folder: Path, pattern: str) -> Iterator[tuple[Path, Any]]:
    for path in sorted(folder.glob(pattern)):
        for row in rows(path):
            yield path, row


def value(dialect: Dialect, reply: str) -> tuple[str, Any]:
    """Status and verdict of a reply, in plain values."""
    found = parse_reply(dialect, reply)
    if isinstance(found.verdict, Choice):
        return found.status.value, found.verdict.value
    if isinstance(found.verdict, Scores):
        return found.status.value, found.verdict.criteria or list(found.verdict.values)
    return found.status.value, None


def reasons(replies: list[str], why: dict[str, Callable[[str], bool]]) -> dict[str, int]:
    """How many replies have which reason; a reply has exactly one."""
    found: Counter[str] = Counter()
    for reply in replies:
        names = [name for name, holds in why.items() if holds(reply)]
        assert len(names) == 1, (names, reply)
        found[names[0]] += 1
    return dict(found)


def test_just_eval(shared_data: Path) -> None:
    """The publisher keeps "N/A" as a score; no scale from 1 to 5 has it."""
    five, safety = own("just-eval"), own("just-eval-safety")
    statuses: Counter[tuple[int, str]] = Counter()
    unread = []
    for _, row in all_rows(shared_data / "just_eval", "leaderboard/**/*.json.gz"):
        dialect = five if len(row["parsed_result"]) > 1 else safety
        status, found = value(dialect, row["result"])
        statuses[len(row["parsed_result"]), status] += 1
        if found is None:
            unread.append(row["result"])
        else:
            published = {name: (float(a["score"]),) for name, a in row["parsed_result"].items()}
            assert found == published
    assert statuses == {(5, "parsed"): 761, (5, "off_scale"): 39, (1, "parsed"): 600}
    assert reasons(unread, {"an aspect does not apply": lambda r: '"score": "N/A"' in r}) == {
        "an aspect does not apply": 39
    }


def test_two_scores_first(shared_data: Path) -> None:
    statuses: Counter[str] = Counter()
    unread = []
    for _, row in all_rows(shared_data / "vicuna_blog_eval", "eval/table/review/*/*.jsonl"):
        status, found = value(LIBRARY["judgelm"], row["text"])
        statuses[status] += 1
        if found is None:
            unread.append(row["text"])
        else:
            assert found == row["score"]
    assert statuses == {"parsed": 997, "no_verdict": 39, "off_scale": 4}
    assert reasons(
        unread,
        {
            "solves the problem first": lambda r: r.startswith("First, "),
            "gives 0 of 1 to 10": lambda r: r.startswith("0 "),
        },
    ) == {"solves the problem first": 39, "gives 0 of 1 to 10": 4}


def test_the_last_line_is_the_verdict(shared_data: Path) -> None:
    dialect = own("qlora")
    statuses: Counter[str] = Counter()
    unread = []
    for _, row in all_rows(shared_data / "qlora_gpt4_vicuna", "eval/ratings-gpt4/**/*.jsonl"):
        status, found = value(dialect, row["text"])
        statuses[status] += 1
        assert {"A": 1, "B": 2, "TIE": 3, None: -1}[found] == row["score"]
        unread += [row["text"]] if found is None else []
    assert statuses == {"parsed": 4467, "off_scale": 8, "no_verdict": 5}
    assert reasons(
        unread,
        {
            "the call failed": lambda r: r == "error",
            "says the choice in a sentence": lambda r: "choose 3" in r or "option 3" in r,
            "does not choose": lambda r: "I cannot choose" in r,
        },
    ) == {"the call failed": 8, "says the choice in a sentence": 3, "does not choose": 2}


NO_RATING = {
    "a full stop after the brackets": lambda r: r.rstrip().endswith("]]."),
    "no brackets": lambda r: "[[" not in r,
    "brackets, but not with the marker": lambda r: "[[" in r and not r.rstrip().endswith("]]."),
}


@pytest.mark.parametrize(
    ("file", "field", "statuses", "why"),
    [
        (
            "training/single_traindata.jsonl.gz", "target_output",
            {"parsed": 918, "no_verdict": 42}, {"a full stop after the brackets": 42},
        ),
        (
            "outputs/critique_example_output.jsonl.gz", "output", {"parsed": 230, "no_verdict": 2},
            {"a full stop after the brackets": 1, "no brackets": 1},
        ),
        (
            "test/reference_chatgpt_critique.jsonl.gz", "output",
            {"parsed": 219, "no_verdict": 13}, {"no brackets": 13},
        ),
        (
            "test/zh_reference_chatgpt_critique.jsonl", "output",
            {"parsed": 231, "no_verdict": 1}, {"brackets, but not with the marker": 1},
        ),
    ],
)  # fmt: skip
def test_a_rating_in_double_brackets(
    shared_data: Path, file: str, field: str, statuses: dict[str, int], why: dict[str, int]
) -> None:
    dialect = own("auto-j-chinese" if "zh_" in file else "auto-j")
    found: Counter[str] = Counter()
    unread = []
    for row in rows(shared_data / "auto_j/data" / file):
        status, scores = value(dialect, row[field])
        found[status] += 1
        if scores is None:
            unread.append(row[field])
        elif "pred_score" in row:
            assert scores == [row["pred_score"]]
    assert found == statuses
    assert reasons(unread, NO_RATING) == why


def test_a_spelling_that_is_named_is_read(shared_data: Path) -> None:
    """With the full stop as a second spelling every rating is read, and as published."""
    dialect = own("auto-j-full-stop")
    for row in rows(shared_data / "auto_j/data/training/single_traindata.jsonl.gz"):
        assert value(dialect, row["target_output"]) == ("parsed", [row["pred_score"]])


def test_critiques_without_a_rating_have_none(shared_data: Path) -> None:
    dialect = own("auto-j")
    for _, row in all_rows(shared_data / "auto_j", "data/training/single_independent/*.jsonl.gz"):
        assert value(dialect, row["output"]) == ("no_verdict", None)


def test_a_verdict_in_whole_words_first(shared_data: Path) -> None:
    dialect = own("critiques-compared")
    path = shared_data / "auto_j/data/outputs/gpt-4-Eval_auto-j_vs_chatgpt.jsonl"
    found = Counter(value(dialect, row["output"]) for row in rows(path))
    assert found == {("parsed", "B"): 134, ("parsed", "A"): 93, ("parsed", "TIE"): 5}


def test_ranks_as_json(shared_data: Path) -> None:
    """Where both models have rank 1, the publisher took the one listed first as the winner.

    13 of 4,812 replies say so in words, too ("ranked equally"): a tie became a win.
    """
    dialect = own("alpaca-ranks")
    statuses: Counter[str] = Counter()
    ties = 0
    for _, row in all_rows(shared_data / "alpaca_eval", "results/*/alpaca_eval_cot*/*.json.gz"):
        if row["raw_completion"] is None:
            statuses["no reply"] += 1
            continue
        status, found = value(dialect, json.dumps(row["raw_completion"]))
        statuses[status] += 1
        if found == "TIE":
            assert row["preference"] in (1.0, 2.0)
            ties += 1
            continue
        side = row["referenced_models"].get({"A": "m", "B": "M"}[found])
        other = row["referenced_models"].get({"A": "M", "B": "m"}[found])
        wins = int(side[-1]) if side else 3 - int(other[-1])
        assert wins == row["preference"]
    assert statuses == {"parsed": 4812, "no reply": 18}
    assert ties == 13


def test_ranks_as_json_without_a_reason(shared_data: Path) -> None:
    """One reply lists the second model first; its spelling is none that the dialect says."""
    dialect = own("alpaca-ranks")
    path = "results/*/alpaca_eval_gpt4_turbo_fn/*.json.gz"
    replies = [
        json.dumps(row["raw_completion"])
        for _, row in all_rows(shared_data / "alpaca_eval", path)
        if row["raw_completion"] is not None
    ]
    assert Counter(value(dialect, reply)[0] for reply in replies) == {
        "parsed": 2408,
        "off_scale": 1,
    }
    unread = [reply for reply in replies if value(dialect, reply)[1] is None]
    reversed_list = '[{"model": "m", "rank": 2}, {"model": "M", "rank": 1}]'
    assert reasons(unread, {"the loser listed first": lambda r: reversed_list in r}) == {
        "the loser listed first": 1
    }


def test_ranks_as_a_python_list(shared_data: Path) -> None:
    dialect = own("alpaca-python")
    found = Counter(
        value(dialect, row["raw_completion"])
        for _, row in all_rows(shared_data / "alpaca_eval", "results/*/alpaca_eval_gpt4/*.json.gz")
        if row.get("raw_completion")
    )
    assert found == {("parsed", "A"): 781, ("parsed", "B"): 768}


def test_one_token_in_which_case_matters(shared_data: Path) -> None:
    """The publisher took the preference from the log-probabilities, whatever the token was."""
    dialect = own("alpaca-letter")
    path = "results/*/weighted_alpaca_eval_gpt4_turbo/*.json.gz"
    replies = [
        row["raw_completion"]["message"]["content"]
        for _, row in all_rows(shared_data / "alpaca_eval", path)
        if row["raw_completion"] is not None
    ]
    assert Counter(value(dialect, reply) for reply in replies) == {
        ("parsed", "A"): 4367, ("parsed", "B"): 5254, ("off_scale", None): 7,
    }  # fmt: skip
    unread = [reply for reply in replies if value(dialect, reply)[1] is None]
    assert Counter(unread) == {"Neither": 5, "Please": 1, "Both": 1}


def llmbar(shared_data: Path, prompt: str) -> Iterator[tuple[str, str | None]]:
    """Replies, and the letter that the publisher read from each."""
    for _, row in all_rows(shared_data / "llmbar", f"Dataset/LLMBar/**/{prompt}/result.json*"):
        for swap in (False, True):
            last = row["results"][-1][f"swap = {swap}"]
            winner = {"1": "B" if swap else "A", "2": "A" if swap else "B", None: None}
            yield last["completion"][0], winner[last["winner"]]


@pytest.mark.parametrize(
    ("prompt", "statuses"),
    [
        ("Vanilla", {"parsed": 4180, "no_verdict": 10}),
        ("Metrics_Reference", {"parsed": 4178, "no_verdict": 12}),
        ("Swap", {"parsed": 817, "several_verdicts": 21}),
        ("CoT", {"parsed": 2837, "no_verdict": 1229, "several_verdicts": 124}),
    ],
)
def test_llmbar(shared_data: Path, prompt: str, statuses: dict[str, int]) -> None:
    """The publisher took the first verdict found anywhere in the reply.

    That differs from the conclusion in 64 replies that open with one output and argue for the
    other. Replies that conclude in other words, or twice, have no verdict here.
    """
    dialect = own("llmbar")
    found: Counter[str] = Counter()
    differing = 0
    unread: dict[str, list[str]] = {"no_verdict": [], "several_verdicts": []}
    for reply, published in llmbar(shared_data, prompt):
        status, verdict = value(dialect, reply)
        found[status] += 1
        if verdict is None:
            unread[status].append(reply)
        elif verdict != published:
            differing += 1
            assert "Output (a)" in reply
            assert "Output (b)" in reply
            assert not reply.startswith("Therefore")
    assert found == statuses
    assert differing == (64 if prompt == "CoT" else 0)
    for reply in unread["several_verdicts"]:
        assert reply.casefold().count("therefore, output (") > 1
    for reply in unread["no_verdict"]:
        assert not reply.rstrip().endswith("Therefore, Output (a) is better.")
        assert not reply.rstrip().endswith("Therefore, Output (b) is better.")


def test_a_score_alone(shared_data: Path) -> None:
    """LLMBar asks for a score from 0 to 9; two replies say 10, two say nothing."""
    dialect = own("llmbar-rating")
    found: Counter[tuple[str, str]] = Counter()
    for _, row in all_rows(shared_data / "llmbar", "Dataset/LLMBar/**/Rating/result.json*"):
        for name in ("score_1", "score_2"):
            reply = row["results"][-1][name][0]
            status, scores = value(dialect, reply)
            assert scores is None or scores == [float(reply)]
            found[status, "" if scores else reply] += 1
    assert found == {("parsed", ""): 1672, ("off_scale", "10"): 2, ("no_verdict", ""): 2}


def test_dry_run_labels_of_the_bias_judge(shared_data: Path) -> None:
    """Every label reads back, as the JSON it came in and in the bias judge's own dialect."""
    dialect = own("judge-from-scratch")
    folder = shared_data / "judge_from_scratch/data/labeled"
    seen: Counter[str] = Counter()
    for _, row in all_rows(folder, "dryrun_*.jsonl"):
        whole = json.dumps({key: row[key] for key in ("reasoning", "verdict", "confidence")})
        assert value(dialect, whole) == ("parsed", row["verdict"])
        again = BIAS_PAIR.write_reply(row["reasoning"], row["verdict"])
        assert value(BIAS_PAIR, again) == ("parsed", row["verdict"])
        seen[row["verdict"]] += 1
    assert sum(seen.values()) == 200


def test_feedback_of_prometheus(shared_data: Path) -> None:
    """Raw replies are not published: feedback and score are put together in both spellings.

    One feedback still ends in "[RESULT] Score: 1.", and can be the rationale of no reply.
    """
    dialect = LIBRARY["prometheus-absolute-reference"]
    seen: Counter[str] = Counter()
    for _, row in all_rows(shared_data / "prometheus_eval", "eval/benchmark/data/*_eval.json.gz"):
        scores = row.get("gpt4_score", ())
        for feedback, score in zip(row.get("gpt4_feedback", ()), scores, strict=True):
            if dialect.clash(feedback):
                assert feedback.endswith("[RESULT] Score: 1.")
                assert value(dialect, feedback) == ("no_verdict", None)
                with pytest.raises(ValueError, match="marker"):
                    dialect.write_reply(feedback, str(score))
                seen["holds the marker"] += 1
                continue
            for reply in (
                f"{feedback} [RESULT] {score}",
                dialect.write_reply(feedback, str(score)),
            ):
                assert value(dialect, reply) == ("parsed", [float(score)])
            seen["read"] += 1
    assert seen == {"read": 1919, "holds the marker": 1}
