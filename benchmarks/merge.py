"""Time and peak memory of merging two judges: ours against mergekit, each net of a no-op merge.

    python -m benchmarks.merge [--hidden 1024] [--layers 24] [--dtypes bfloat16 float32] [--times 3]

Two LoRA judges (ranks 64 and 128, all linear layers) of one random Llama, by default of 341M
parameters, are merged in two ways:

- adapters: two adapters become one by NuSLERP of their deltas. mergekit merges full weights only:
  it is given `base+adapter` twice, and its folding of them into the base is counted, because that
  is the way there.
- full weights: the two folded models, by NuSLERP of deltas, linear, and TIES. Folding is counted
  for nobody.

Both compute in float32 and write the dtype of the base. Every merge runs in a process of its own,
`--times` times in turn, of which the fastest counts. A merge of a model of a few kilobytes costs
all that a merge costs besides merging, imports above all, and is subtracted from both. Memory is
the largest resident set, imports included. Prints a Markdown table and the machine's load. Exits 1
when adapters merge less than 10 times as fast as with mergekit, or full weights more slowly.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LEAST_RATIO = 10.0
RANKS = {"a": 64, "b": 128}
TAIL = """
import json, resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
sys.stderr.write("\\n" + json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""
OURS = "from pathlib import Path\nfrom judgesmith.backends.merging import *\n"
THEIRS = """
from mergekit.config import MergeConfiguration
from mergekit.merge import MergeOptions, run_merge
config = MergeConfiguration.model_validate({config})
options = MergeOptions(copy_tokenizer=False, lazy_unpickle=True, quiet=True,
                       write_model_card=False, lora_merge_cache={cache!r})
run_merge(config, {out!r}, options)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock, of CPU, and the largest resident set in MiB."""

    wall: float
    cpu: float
    memory: float

    def less(self, other: "Cost") -> "Cost":
        return Cost(self.wall - other.wall, self.cpu - other.cpu, self.memory - other.memory)

    def best(self, other: "Cost") -> "Cost":
        pairs = zip(self.__dict__.values(), other.__dict__.values(), strict=True)
        return Cost(*(min(one, two) for one, two in pairs))


def measured(code: str) -> Cost:
    """Run code in a process of its own."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code + TAIL], check=False, capture_output=True, text=True
    )
    wall = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"a merge failed:\n{done.stderr}")
    cpu, memory = json.loads(done.stderr.strip().splitlines()[-1])
    return Cost(wall, cpu, memory)


@dataclass(frozen=True)
class Judges:
    """A random base, two adapters of it, and both folded."""

    root: Path
    dtype: str

    def build(self, config: dict[str, Any]) -> int:
        """Write them all, in a process whose memory is then given back; its parameters."""
        code = (
            "from pathlib import Path\nfrom benchmarks.merge import Judges\n"
            f"print(Judges(Path({str(self.root)!r}), {self.dtype!r}).write({config!r}))"
        )
        done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
        return int(done.stdout.split()[-1])

    def write(self, config: dict[str, Any]) -> int:
        import torch
        import transformers

        from judgesmith.backends.merging import fold_adapter

        transformers.utils.logging.disable_progress_bar()
        torch.manual_seed(0)
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config))
        parameters = sum(p.numel() for p in model.parameters())
        model.to(getattr(torch, self.dtype)).save_pretrained(self.root / "base")
        shapes = {
            name: tuple(module.weight.shape)
            for name, module in model.named_modules()
            if name.endswith("_proj")
        }
        for name, rank in RANKS.items():
            self._adapter(name, min(rank, config["hidden_size"] // 2), shapes)
            fold_adapter(self.root / name, self.root / "base", self.root / f"{name}-folded")
        return parameters

    def _adapter(self, name: str, rank: int, shapes: dict[str, tuple[int, ...]]) -> None:
        import torch

        from judgesmith.backends.merging.weight_files import write_file

        tensors = {}
        for module, (rows, columns) in shapes.items():
            tensors[f"base_model.model.{module}.lora_A.weight"] = torch.randn(rank, columns) * 0.01
            tensors[f"base_model.model.{module}.lora_B.weight"] = torch.randn(rows, rank) * 0.01
        (self.root / name).mkdir()
        write_file(self.root / name / "adapter_model.safetensors", tensors)
        kinds = sorted({module.rsplit(".", 1)[1] for module in shapes})
        config = {
            "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": rank,
            "target_modules": kinds, "base_model_name_or_path": str(self.root / "base"),
        }  # fmt: skip
        (self.root / name / "adapter_config.json").write_text(json.dumps(config))


Code = Callable[[Judges, str], str]


def ours(call: str) -> Code:
    def code(judges: Judges, out: str) -> str:
        return OURS + call.format(r=judges.root, out=judges.root / out)

    return code


def theirs(method: str, *, base: bool, fold: bool = False, **parameters: object) -> Code:
    def code(judges: Judges, out: str) -> str:
        names = [f"base+{judges.root}/{n}" if fold else f"{n}-folded" for n in RANKS]
        config: dict[str, Any] = {
            "merge_method": method, "dtype": "float32", "out_dtype": judges.dtype,
            "parameters": parameters,
            "models": [
                {"model": f"{judges.root}/{name}", "parameters": {"weight": 0.5}} for name in names
            ],
        }  # fmt: skip
        if base:
            config["base_model"] = f"{judges.root}/base"
        target = str(judges.root / out)
        return THEIRS.format(config=config, out=target, cache=f"{target}-cache")

    return code


FOLDED = "['{r}/a-folded', '{r}/b-folded']"
W = "weights=(.5, .5)"
CASES: dict[str, tuple[Code, Code]] = {
    "adapters, NuSLERP": (
        ours(f"merge_adapters(['{{r}}/a', '{{r}}/b'], NuSlerp({W}), Path('{{out}}'))"),
        theirs("nuslerp", base=True, fold=True),
    ),
    "full weights, NuSLERP of deltas": (
        ours(f"merge_models({FOLDED}, '{{r}}/base', NuSlerp({W}), Path('{{out}}'))"),
        theirs("nuslerp", base=True),
    ),
    "full weights, NuSLERP": (
        ours(f"merge_models({FOLDED}, None, NuSlerp({W}), Path('{{out}}'))"),
        theirs("nuslerp", base=False),
    ),
    "full weights, linear": (
        ours(f"merge_models({FOLDED}, None, Linear({W}), Path('{{out}}'))"),
        theirs("linear", base=False),
    ),
    "full weights, TIES": (
        ours(f"merge_models({FOLDED}, '{{r}}/base', Ties({W}, density=.5), Path('{{out}}'))"),
        theirs("ties", base=True, density=0.5),
    ),
}


def compare(
    judges: Judges, nothing: Judges, case: str, times: int
) -> tuple[tuple[Cost, Cost], tuple[Cost, Cost]]:
    """Net and gross cost of ours and of theirs."""
    best: dict[tuple[int, str], Cost] = {}
    for turn in range(times):
        for side, code in enumerate(CASES[case]):
            for what, used in (("merge", judges), ("nothing", nothing)):
                out = f"out-{side}-{turn}"
                cost = measured(code(used, out))
                best[side, what] = best.get((side, what), cost).best(cost)
                subprocess.run(
                    ["rm", "-rf", used.root / out, f"{used.root / out}-cache"], check=True
                )
    net = [best[side, "merge"].less(best[side, "nothing"]) for side in (0, 1)]
    return (net[0], net[1]), (best[0, "merge"], best[1, "merge"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hidden", type=int, default=1024)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    large = {
        "hidden_size": arguments.hidden, "num_hidden_layers": arguments.layers,
        "intermediate_size": arguments.hidden * 11 // 4, "vocab_size": 32000,
        "num_attention_heads": 16, "num_key_value_heads": 16, "tie_word_embeddings": True,
    }  # fmt: skip
    small = {**large, "hidden_size": 16, "num_hidden_layers": 1, "intermediate_size": 16,
             "vocab_size": 32, "num_attention_heads": 2, "num_key_value_heads": 2}  # fmt: skip
    slow = parameters = 0
    print("| merge | dtype | ours net s | mergekit net s | ratio | CPU ratio | ours MiB | mergekit "
          "MiB | with start-up: ours s | mergekit s |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|---|")
    for dtype in arguments.dtypes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name in ("large", "small"):
                (root / name).mkdir()
            judges, nothing = Judges(root / "large", dtype), Judges(root / "small", dtype)
            parameters = judges.build(large)
            nothing.build(small)
            for case in arguments.cases:
                net, gross = compare(judges, nothing, case, arguments.times)
                ratio = net[1].wall / max(net[0].wall, 1e-3)
                slow += ratio < (LEAST_RATIO if case.startswith("adapters") else 1.0)
                print(
                    f"| {case} | {dtype} | {net[0].wall:.2f} | {net[1].wall:.2f} | {ratio:.1f} | "
                    f"{net[1].cpu / max(net[0].cpu, 1e-3):.1f} | {gross[0].memory:.0f} | "
                    f"{gross[1].memory:.0f} | {gross[0].wall:.1f} | {gross[1].wall:.1f} |",
                    flush=True,
                )
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"\n{parameters / 1e6:.0f}M parameters, {os.cpu_count()} cores, load {load}.")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
