"""One side of `benchmarks.training`, in a process of its own: builds, or trains and measures."""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.training_rows import MIXES, bank_texts, make_rows

from judgesmith.backends.lessons import Lesson, Plan, schedule
from judgesmith.backends.loading import load
from judgesmith.backends.sft_data import MaskCheck, encode_rows
from judgesmith.backends.sft_trainer import Lessons, Training, build_trainer
from judgesmith.backends.student import FromNothing, build_student, open_tokenizer
from judgesmith.records import SftRow
from judgesmith.runs.jsonl import read_records, write_records

SIZES: dict[str, dict[str, int]] = {
    "small": {
        "vocab_size": 4096, "hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 4, "head_dim": 64,
    },
    "4b": {
        "vocab_size": 151_936, "hidden_size": 2560, "intermediate_size": 9728,
        "num_hidden_layers": 36, "num_attention_heads": 32, "num_key_value_heads": 8,
        "head_dim": 128,
    },
}  # fmt: skip
"""Llamas with random weights; the larger one has the sizes of a 4B of today, 4.0e9 parameters."""
LORA = {"r": 16, "lora_alpha": 32, "target_modules": "all-linear"}
RATE = 1e-4


@dataclass(frozen=True)
class Job:
    """What both sides train: a size, rows, and steps of how many of them."""

    folder: str
    size: str
    mix: str
    batch: int
    steps: int
    max_length: int
    threads: int

    @property
    def student(self) -> str:
        """Where tokenizer and rows lie."""
        return str(Path(self.folder) / "student")

    @property
    def lora(self) -> dict[str, Any] | None:
        """The large one learns through an adapter; the small one with all its weights."""
        return LORA if self.size == "4b" else None


def build(job: Job) -> None:
    """The tokenizer and the rows, which all sides read."""
    require_device(job)
    folder = Path(job.student)
    size = FromNothing(vocabulary=4096, context=job.max_length, width=8, layers=1, heads=1)
    build_student(size, bank_texts()[::5], folder, seed=1)
    (folder / "from_nothing.json").unlink()
    rows = make_rows(open_tokenizer(job.student), job.mix, job.batch * job.steps, job.max_length)
    write_records(folder / "rows.jsonl", rows)


def require_device(job: Job) -> None:
    if job.size == "4b" and not load("torch").cuda.is_available():
        sys.exit(
            "--config 4b needs a GPU with about 40 GB, and torch sees none. Without it a small "
            "model is trained on the CPU."
        )


@dataclass
class Material:
    """Rows as token ids in training order, the same for both sides."""

    rows: list[SftRow]
    encoded: list[Lesson]
    shown: list[Lesson]


def read_material(job: Job, tokenizer: Any) -> Material:
    rows = list(read_records(Path(job.student) / "rows.jsonl", SftRow))
    encoded = encode_rows(tokenizer, rows, job.max_length).rows
    plan = Plan(rows=job.batch * job.steps, batch=job.batch, seed=1, grouped=False)
    return Material(rows, encoded, list(schedule(encoded, plan)))


def new_model(job: Job, tokenizer: Any) -> Any:
    """The same random weights whenever it is called."""
    torch, transformers = load("torch"), load("transformers")
    config = transformers.LlamaConfig(
        **SIZES[job.size], max_position_embeddings=job.max_length, tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    on_gpu = torch.cuda.is_available()
    with torch.device("cuda" if on_gpu else "cpu"):
        dtype = torch.bfloat16 if job.lora else torch.float32
        return transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)


def padded_trainer(job: Job, tokenizer: Any, material: Material) -> Any:
    """TRL's own trainer, collator and loss; rows of a batch padded to its longest."""
    trl, torch = load("trl"), load("torch")
    on_gpu = torch.cuda.is_available()
    config = trl.SFTConfig(
        output_dir=f"{job.folder}/padded", max_steps=job.steps, max_length=job.max_length,
        per_device_train_batch_size=job.batch, learning_rate=RATE, lr_scheduler_type="constant",
        use_cpu=not on_gpu, bf16=on_gpu, activation_checkpointing=on_gpu, warmup_steps=0,
        train_sampling_strategy="sequential", dataset_kwargs={"skip_prepare_dataset": True},
        logging_steps=1, save_strategy="no", report_to="none", disable_tqdm=True,
        dataloader_pin_memory=False, seed=1,
    )  # fmt: skip
    fields = [lesson.fields() for lesson in material.shown]
    return trl.SFTTrainer(
        model=new_model(job, tokenizer), args=config, processing_class=tokenizer,
        train_dataset=load("datasets").Dataset.from_list(fields),
        peft_config=load("peft").LoraConfig(task_type="CAUSAL_LM", **LORA) if job.lora else None,
    )  # fmt: skip


def packed_trainer(job: Job, tokenizer: Any, material: Material) -> Any:
    """The trainer of stage sft with `packing: bfd`."""
    training = Training(
        base=job.student, folder=Path(job.folder) / "packed", learning_rate=RATE, batch=job.batch,
        steps=job.steps, eval_every=1, max_length=job.max_length, seed=1, packing="bfd",
        trl={
            "lr_scheduler_type": "constant", "warmup_steps": 0,
            "activation_checkpointing": load("torch").cuda.is_available(),
        },
        peft=job.lora,
    )  # fmt: skip
    check = MaskCheck(tokenizer, {row.id: row for row in material.rows}, material.encoded)
    lessons = Lessons(material.shown, material.encoded, [])
    trainer = build_trainer(training, new_model(job, tokenizer), tokenizer, lessons, check)
    trainer.args.save_strategy = "no"
    return trainer


SIDES: dict[str, Callable[[Job, Any, Material], Any]] = {
    "padded": padded_trainer,
    "packed": packed_trainer,
}


def matmul_rate(dtype: str, width: int, seconds: float = 1.0) -> float:
    """Floating-point operations per second of a square matrix product: the median of many."""
    torch = load("torch")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    one = torch.randn(width, width, device=device, dtype=getattr(torch, dtype))
    two, times = one.clone(), []
    for _ in range(3):
        one @ two
    while sum(times) < seconds or len(times) < 5:
        start = now().own
        one @ two
        times.append(now().own - start)
    return float(2 * width**3 / statistics.median(times))


class Moment(NamedTuple):
    """By the clock, and by what is this process's own: CPU time, or the clock where a GPU works."""

    wall: float
    own: float


def now() -> Moment:
    torch, wall = load("torch"), time.perf_counter
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return Moment(wall(), wall())
    return Moment(wall(), time.process_time())


def step_ends(trainer: Any) -> list[Moment]:
    """Train; when each step ended, collating the next batch counted to the next."""
    ends: list[Moment] = []

    class Clock(load("transformers").TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            ends.append(now())

    trainer.add_callback(Clock())
    trainer.train()
    return ends


def flops_per_token(model: Any) -> float:
    """Six per trained weight and token, four per frozen one, which needs no gradient of its own.

    Embeddings only look up and do not count, unless the output head shares them.
    """
    total = 0.0
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    for weight in model.parameters():
        if weight is not model.get_input_embeddings().weight or tied:
            total += weight.numel() * (6 if weight.requires_grad else 4)
    return total


def measure(job: Job, side: str) -> dict[str, Any]:
    """Train one side; the first step warms up, and is not in the time."""
    torch = load("torch")
    torch.set_num_threads(job.threads)
    require_device(job)
    on_gpu = torch.cuda.is_available()
    rate = matmul_rate("bfloat16", 8192) if on_gpu else matmul_rate("float32", 1024)
    tokenizer = open_tokenizer(job.student)
    material = read_material(job, tokenizer)
    trainer = SIDES[side](job, tokenizer, material)
    ends = step_ends(trainer)
    tokens = sum(lesson.length for lesson in material.shown[job.batch :])
    wall, own = (last - first for first, last in zip(ends[0], ends[-1], strict=True))
    speed = tokens / own
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {
        "tokens_per_second": speed,
        "wall": tokens / wall,
        "share": speed * flops_per_token(trainer.model) / rate,
        "rate": rate,
        "peak_mib": _peak_mib(),
        "losses": losses,
        "padding": _padding(material.shown, job.batch),
        "parameters": sum(weight.numel() for weight in trainer.model.parameters()),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
    }


def _padding(shown: Sequence[Lesson], batch: int) -> float:
    """Tokens of padded batches for each token of a row."""
    batches = [shown[i : i + batch] for i in range(0, len(shown), batch)]
    padded = sum(len(rows) * max(row.length for row in rows) for rows in batches)
    return padded / sum(row.length for row in shown)


def _peak_mib() -> float:
    torch = load("torch")
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated()) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    what, told = sys.argv[1], Job(**json.loads(sys.argv[2]))
    assert told.mix in MIXES
    if what == "build":
        build(told)
    else:
        print(json.dumps(measure(told, what)))


if __name__ == "__main__":
    main()
