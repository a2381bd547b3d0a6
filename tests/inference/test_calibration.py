"""Calibration, abstention and a second judge, with a scripted model whose errors are known.

A row's question holds a number x: the model says A with probability .5 + x/200, and A is right with
a chance that the test sets. So every confidence, and every error, is visible here.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from judgesmith.errors import DataError
from judgesmith.inference.abstaining import Abstaining, not_enough, promise
from judgesmith.inference.calibration import (
    Calibration,
    calibration_for,
    keep_calibration,
    read_calibrations,
)
from judgesmith.inference.fitting import Labelled, LabelSource, fit_calibration, round_confidence
from judgesmith.inference.judge import Judge
from judgesmith.inference.judge_file import JudgeFile, read_judge_file, write_judge_file
from judgesmith.inference.opening import (
    identity_of,
    judge_of_folder,
    made_of,
)
from judgesmith.inference.rows.stream import judge_file
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import Finish, Kind
from judgesmith.sources.own_files import as_entry
from judgesmith.tasks import load_dialect, load_task

PAIR = load_dialect(load_task("bias"), "bias-pair-compact")
SINGLE = load_dialect(load_task("bias"), "bias-single-compact")
SOURCE = LabelSource("labels.jsonl", "0" * 64, "the file's", also_chose=False)


class Numbered:
    """Names response `first` with probability .5 + x/200, whatever order it is shown in."""

    name = "numbered"

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            prompt = request.messages[-1].content
            x = int(prompt.split("number ")[1].split()[0])
            first = 0.5 + x / 200
            slot = "A" if prompt.find("first") < prompt.find("other") else "B"
            rest = {"A": "B", "B": "A"}[slot]
            said = {slot: first, rest: (1 - first) / 2, "TIE": (1 - first) / 2}
            yield Completion(
                text=PAIR.write_reply("So.", slot), finish=Finish.STOP, prompt_tokens=1,
                completion_tokens=1, covered=1.0,
                probabilities={PAIR.wording.of[value]: p for value, p in said.items()},
            )  # fmt: skip


JUDGE = Judge("demo/student", "v1", PAIR, Numbered(), 60)


def row(x: int, name: str) -> dict[str, Any]:
    return {
        "id": name, "question": f"number {x} of {name}?", "response_a": "first",
        "response_b": "other",
    }  # fmt: skip


def labelled(n: int, risk: Any, seed: int = 1) -> list[Labelled]:
    """n questions; the chance that A is wrong is risk(x), x even on 0..99."""
    generator = np.random.default_rng(seed)
    xs = generator.integers(0, 100, n)
    raws = [row(int(x), f"q{i}") for i, x in enumerate(xs)]
    judged = JUDGE.judge([as_entry(raw, "f.jsonl", "f.jsonl:1") for raw in raws])
    wrong = generator.random(n) < np.array([risk(x) for x in xs])
    return [
        Labelled.of(one, "B" if bad else "A", f"q{i}")
        for i, (one, bad) in enumerate(zip(judged, wrong, strict=True))
    ]


def fitted(n: int = 400, risk: Any = lambda x: 0.4 * (1 - x / 100) ** 2) -> Calibration:
    return fit_calibration(JUDGE, labelled(n, risk), SOURCE, seed=0, resamples=200)


def test_the_order_does_not_matter_and_the_confidence_is_what_was_said() -> None:
    (one,) = JUDGE.judge([as_entry(row(60, "q"), "f", "f:1")])
    assert (one.verdict, one.confidence, one.stated) == ("A", pytest.approx(0.8), one.confidence)


def test_a_judge_that_is_too_modest_is_made_surer_and_its_rows_say_by_what(tmp_path: Path) -> None:
    """It says .5 + x/200 and is right in all but 2%: calibrated confidences are near .98."""
    found = fitted(600, lambda x: 0.02)
    assert found.kind in ("temperature", "isotonic")
    assert found.loss_change.high is not None
    assert found.loss_change.high < 0
    assert (found.fitted_on.items, found.fitted_on.questions) == (600, 600)
    sure = replace(JUDGE, calibration=found)
    assert sure.version != JUDGE.version
    (raw,) = written(JUDGE, tmp_path, row(20, "q"))
    (held,) = written(sure, tmp_path, row(20, "q"))
    assert (raw["confidence"], raw["calibration"]) == (0.6, None)
    assert held["confidence"] > 0.9
    assert held["calibration"] == found.id
    assert held["verdict"] == raw["verdict"]


def written(
    judge: Judge, folder: Path, *rows: dict[str, Any], abstaining: Abstaining | None = None
) -> list[dict[str, Any]]:
    path, out = folder / "rows.jsonl", folder / "out.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    judge_file(judge, path, out, abstaining=abstaining)
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_it_abstains_below_the_threshold_and_says_so_row_by_row(tmp_path: Path) -> None:
    found = fitted()
    rule = found.abstention(0.1, 0.05)
    assert rule.above is not None
    assert 0.55 < rule.above < 0.9
    sure = replace(JUDGE, calibration=found)
    low, high = written(
        sure, tmp_path, row(1, "a"), row(95, "b"), abstaining=Abstaining(rule, Kind.PAIR)
    )
    assert (low["verdict"], low["status"]) == (None, "abstained")
    assert low["confidence"] is not None
    assert (low["preference"], low["distribution"]) == (None, None)
    assert [order["verdict"] for order in low["orders"]] == [None, None]
    assert high["preference"] is not None
    assert high["orders"][0]["verdict"] == "A"
    promised = {"risk": 0.1, "delta": 0.05, "above": rule.above}
    assert [one["abstention"] for one in (low, high)] == [promised, promised]
    assert (high["verdict"], "status" in high) == ("A", False)
    told = promise(found, rule)
    assert told.startswith("With probability 95% or more over the 400 questions of labels.jsonl")
    assert "at most 10% of the verdicts given are wrong" in told
    assert f"{rule.wrong} of {rule.kept} were wrong" in told


def test_a_promise_about_pairs_is_not_given_for_single_responses(tmp_path: Path) -> None:
    """Each would be given, whatever its confidence: a score has no verdict to withhold."""
    found = fitted()
    assert found.fitted_on.kind is Kind.PAIR
    scorer = Judge("demo/scorer", "v1", SINGLE, Numbered(), 60, margin=0.0)
    rule = Abstaining(found.abstention(0.1, 0.05), found.fitted_on.kind)
    alone = {"id": "b", "question": "number 5 of b?", "response": "first"}
    with pytest.raises(DataError, match=r"rows\.jsonl:2: expected two responses, found one resp"):
        written(scorer, tmp_path, row(95, "a"), alone, abstaining=rule)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_second_judge_takes_what_the_first_abstains_on(tmp_path: Path) -> None:
    found = fitted()
    other = Judge("other/student", "v2", PAIR, Numbered(), 60)
    rule = Abstaining(found.abstention(0.1, 0.05), Kind.PAIR, other)
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row(x, f"r{x}")) + "\n" for x in (1, 95, 2)))
    tally = judge_file(replace(JUDGE, calibration=found), path, tmp_path / "o", abstaining=rule)
    rows = [json.loads(line) for line in (tmp_path / "o").read_text().splitlines()]
    assert [one["judge"] for one in rows] == ["other/student", "demo/student", "other/student"]
    assert [one["id"] for one in rows] == ["r1", "r95", "r2"]
    assert [one.get("abstained_by") for one in rows] == ["demo/student", None, "demo/student"]
    assert (tally.second, tally.second_parsed, tally.abstained) == (2, 2, 0)
    assert (tally.pairs, tally.pairs_parsed) == (1, 1), "those of the first judge alone"


@pytest.mark.parametrize("stated", [0.5, 0.74213, 0.9, 0.9995])
def test_what_a_batch_does_to_a_confidence_does_not_move_it_over_a_threshold(stated: float) -> None:
    """Batches moved logits by up to 2e-5; the threshold is an item's own confidence."""
    (one,) = JUDGE.judge([as_entry(row(50, "q"), "f", "f:1")])
    found = {
        round_confidence(replace(one, distribution={"A": p, "B": 1 - p}))
        for p in (stated, *(stated + sign * 2e-5 * stated * (1 - stated) for sign in (-1, 1)))
    }
    assert len(found) == 1
    assert found.pop() == pytest.approx(stated, rel=1e-3)


def test_a_coarse_confidence_still_tells_sure_ones_apart() -> None:
    (one,) = JUDGE.judge([as_entry(row(50, "q"), "f", "f:1")])
    sure = [0.99, 0.999, 0.9999, 0.99998, 1.0]
    found = [round_confidence(replace(one, distribution={"A": p, "B": 1 - p})) for p in sure]
    assert found == sure


def test_without_enough_labels_it_says_how_many_would_do() -> None:
    few = fitted(25, lambda x: 0.0)
    rule = few.abstention(0.1, 0.05)
    assert rule.above is None
    told = not_enough(few, rule)
    assert told.startswith("NOT ENOUGH EVIDENCE")
    assert "About 29 labelled questions in all would do" in told  # .9**29 = .047
    hopeless = fitted(200, lambda x: 0.5)
    assert "more labels would not help" in not_enough(hopeless, hopeless.abstention(0.1, 0.05))


def test_it_is_read_as_it_was_written_and_edits_are_refused(tmp_path: Path) -> None:
    path, found = tmp_path / "calibration.json", fitted(200)
    keep_calibration(path, found)
    assert read_calibrations(path) == (found,)
    assert calibration_for(path, **identity_of(JUDGE)) == found
    other = Judge("demo/other", "v1", PAIR, Numbered(), 60)
    assert calibration_for(path, **identity_of(other)) is None
    with pytest.raises(DataError, match="fitted to version v1 of demo/student, which is now v9"):
        calibration_for(path, **{**identity_of(JUDGE), "version": "v9"})
    content = json.loads(path.read_text())
    content["calibrations"][0]["evidence"]["right"][0] ^= True
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="the file was edited"):
        read_calibrations(path)
    path.write_text("{")
    with pytest.raises(DataError, match=r"calibration\.json: not a valid calibration"):
        read_calibrations(path)


def test_fitting_again_replaces_the_calibration_of_that_judge_only(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    other = fit_calibration(
        Judge("demo/other", "v1", PAIR, Numbered(), 60), labelled(50, lambda x: 0.1), SOURCE,
        seed=0, resamples=50,
    )  # fmt: skip
    for one in (fitted(100), other, fitted(200)):
        keep_calibration(path, one)
    assert [one.fitted_on.items for one in read_calibrations(path)] == [50, 200]


def test_fitting_again_replaces_a_file_of_an_older_schema(tmp_path: Path) -> None:
    path, found = tmp_path / "calibration.json", fitted()
    path.write_text(json.dumps({"schema": 1, "calibrations": [{"schema": 1, "judge": "j"}]}))
    with pytest.raises(DataError, match="Run `judgesmith calibrate` again"):
        read_calibrations(path)
    keep_calibration(path, found)
    assert read_calibrations(path) == (found,)


def test_an_exported_judge_keeps_it(tmp_path: Path) -> None:
    held = replace(JUDGE, calibration=fitted(200))
    write_judge_file(tmp_path, JudgeFile.of(held, "bias"))
    again = read_judge_file(tmp_path)
    assert (again.calibration, again.version) == (held.calibration, held.version)


def test_an_exported_judge_has_no_calibration_of_another_judge_or_mode(tmp_path: Path) -> None:
    own = replace(JUDGE, made_of=made_of(tmp_path, PAIR, None))
    carried = fitted(200).carried_to(own.made_of)
    write_judge_file(tmp_path, JudgeFile.of(replace(own, calibration=carried), "bias"))
    assert judge_of_folder(tmp_path).calibration == carried
    assert judge_of_folder(tmp_path, mode="fast").calibration is None
    for stranger in (fitted(200), Calibration.make(**{**fields(carried), "mode": "fast"})):
        write_judge_file(tmp_path, JudgeFile.of(replace(own, calibration=stranger), "bias"))
        with pytest.raises(DataError, match=r"judge\.json: field 'calibration': expected that of"):
            judge_of_folder(tmp_path)


def fields(found: Calibration) -> dict[str, Any]:
    return found.model_dump(by_alias=True, exclude={"id"})


def test_one_that_was_carried_to_a_copy_is_the_same_map_under_its_own_id() -> None:
    ours = fitted(200)
    carried = ours.carried_to("v2")
    assert carried.version == "v2"
    assert carried.id == carried.computed_id() != ours.id
    assert Calibration.model_validate(carried.model_dump(by_alias=True)) == carried
    assert carried.evidence == ours.evidence


def test_a_judge_without_probabilities_has_nothing_to_calibrate() -> None:
    class Silent(Numbered):
        def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
            for one in super().complete(requests):
                yield one.model_copy(update={"probabilities": None})

    judge = Judge("demo/silent", "v1", PAIR, Silent(), 60)
    judged = judge.judge([as_entry(row(5, f"q{i}"), "f", f"f:{i}") for i in range(10)])
    with pytest.raises(DataError, match="none of 10 items has a verdict with a probability"):
        fit_calibration(
            judge, [Labelled.of(one, "A", str(i)) for i, one in enumerate(judged)], SOURCE, seed=0
        )
