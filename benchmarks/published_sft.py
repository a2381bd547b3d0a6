"""A run's student against the published judges' verdicts, pair by pair, in the order they saw.

    python -m benchmarks.published_sft RUN --data FOLDER

RUN is a run of bias-judge-real, FOLDER holds judge_from_scratch/. Kappa differences on people's
verdicts, with 95% intervals over questions. An unread published verdict counts as wrong.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from judgesmith.evaluation.judges import read_judgments
from judgesmith.inference.students import margin_of
from judgesmith.metrics import cohen_kappa, mark_unparsed, paired_bootstrap_kappa_difference
from judgesmith.pipeline import open_run
from judgesmith.records import TIE, AnnotatorKind, Judgment, Split
from judgesmith.sources.decisions import flip_letter
from judgesmith.stages.evaluate.labelled_side import read_labelled_side
from judgesmith.tasks import load_dialect, load_task

SIDES = {"in domain": {Split.TEST}, "religion": {Split.HELD_OUT}}
SIDES["both"] = SIDES["in domain"] | SIDES["religion"]


def published(folder: Path) -> dict[tuple[str, str], dict[tuple[str, str], str]]:
    """Verdicts by checkpoint and run, then by the texts of the two responses as shown."""
    shown = {}
    for line in (folder / "data/pairs/eval_set_unlabeled.jsonl").read_text().splitlines():
        pair = json.loads(line)
        shown[pair["pair_id"]] = (pair["response_a"]["text"], pair["response_b"]["text"])
    found: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for path in sorted((folder / "eval/results").glob("stage8_final_*.json")):
        for row in json.loads(path.read_text())["detailed"]:
            if row["run_type"] == "original":
                judge = (row["checkpoint_name"], path.stem.rpartition("_")[2])
                found.setdefault(judge, {})[shown[row["pair_id"]]] = row["verdict"]
    return found


def as_stored(verdicts: Mapping[tuple[str, str], str], texts: Sequence[str]) -> str:
    """The verdict in the run's own order of the two responses."""
    first, second = texts
    if (first, second) in verdicts:
        return verdicts[first, second]
    return str(flip_letter(verdicts[second, first]))


def main() -> None:
    """Print one row per published checkpoint, run of it, and slice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    run_dir, recipe = open_run(given.run)
    config: Any = recipe.sections["evaluate"]
    dialect = load_dialect(load_task(run_dir.header.task), config.dialect)
    found = read_labelled_side(run_dir, AnnotatorKind.PERSON, dialect)
    student = read_judgments(
        "student", "student",
        [j for j in run_dir.read("evaluate/judgments.jsonl", Judgment) if j.judge == "student"],
        tie=TIE, margin=margin_of("student", dialect, run_dir),
    )  # fmt: skip
    for (checkpoint, when), verdicts in published(given.data / "judge_from_scratch").items():
        for name, sides in SIDES.items():
            part = [item for item in found.items if item.split in sides]
            right = [found.labels[item.id] for item in part]
            ours = mark_unparsed([student.verdicts[item.id].averaged for item in part])
            theirs = [
                as_stored(verdicts, [found.responses[name].text for name in item.response_ids])
                for item in part
            ]
            gap = paired_bootstrap_kappa_difference(
                ours, theirs, right, [item.question_id for item in part], seed=run_dir.seed,
                resamples=10_000,
            )  # fmt: skip
            kappas = [cohen_kappa(said, right).value for said in (ours, theirs)]
            print(
                f"{checkpoint}, run {when}, {name} (n = {len(part)}): "
                f"student {kappas[0]:.2f}, published {kappas[1]:.2f}, "
                f"difference {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"
            )


if __name__ == "__main__":
    main()
