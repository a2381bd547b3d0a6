"""Judges of one base -> one judge, by merging their adapters.

    in   the adapters of `sft.judges` that the recipe names
    out  merge/student/ (an adapter, with what the merge found in merge.json)
    run  judgesmith run RECIPE --until merge, or judgesmith merge for adapters of any origin

What is merged is what each training added to the base, module by module, without ever building a
full weight matrix where the method allows that.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from judgesmith.backends.merging.adapters import merge_adapters
from judgesmith.backends.merging.methods import MergeMethod
from judgesmith.backends.merging.result import MergeReport
from judgesmith.models.protocol import ModelOpener
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.runs.students import MERGED, student_folder

VERSION = 1
OUTPUTS = (student_folder(MERGED),)


class Config(Section):
    """What is merged, and how.

    `judges` are names of `sft.judges`; `method` has one weight for each, in their order. `rank` is
    that of the merged adapter: null keeps the merge exact, at the sum of the ranks.
    """

    judges: tuple[str, ...] = Field(min_length=2)
    method: MergeMethod
    rank: int | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _one_weight_each(self) -> "Config":
        if len(set(self.judges)) < len(self.judges):
            raise ValueError(f"expected each judge once, found {self.judges!r}")
        if len(self.method.weights) != len(self.judges):
            raise ValueError(
                f"`method.weights` has {len(self.method.weights)} numbers for "
                f"{len(self.judges)} judges; give one each"
            )
        return self


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return tuple(student_folder(name) for name in config.judges)


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run: none."""
    return {}


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Merge the adapters."""
    report = merge_adapters(
        [run_dir.file(folder) for folder in inputs(config)],
        config.method,
        run_dir.file(OUTPUTS[0]),
        rank=config.rank,
        seed=run_dir.seed,
    )
    return StageReport(
        taken=len(config.judges),
        made=len(config.judges),
        tables={"merge": summary(report)},
    )


def summary(report: MergeReport) -> Mapping[str, Any]:
    """What a merge did, without its table of tensors, which lies in merge.json."""
    cosines = sorted(
        cosine for tensor in report.tensors for cosine in tensor.cosines if cosine is not None
    )
    return {
        **report.model_dump(mode="json", exclude={"tensors"}),
        "tensors": len(report.tensors),
        "median cosine": cosines[len(cosines) // 2] if cosines else None,
    }
