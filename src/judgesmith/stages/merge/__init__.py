"""Judges of one base -> one judge, by merging their adapters.

    in   the adapters of `sft.judges` that the recipe names, and for a search: questions, responses,
         items, labels
    out  merge/student/ (an adapter, with what the merge found in merge.json), merge/search.json
    run  judgesmith run RECIPE --until merge, or judgesmith merge for adapters of any origin

What is merged is what each training added to the base, module by module, without ever building a
full weight matrix where the method allows that. A search tries other weights or methods on the dev
items; the test items are looked at by the evaluation, once.
"""

from judgesmith.stages.merge.config import Config, inputs, outside
from judgesmith.stages.merge.stage import OUTPUTS, VERSION, run

__all__ = ["OUTPUTS", "VERSION", "Config", "inputs", "outside", "run"]
