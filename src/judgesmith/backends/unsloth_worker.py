"""Train an adapter in Unsloth's own environment: `python unsloth_worker.py JOB --trainer unsloth`.

It runs where judgesmith is not installed, so it imports nothing of it. The job folder holds

    job.json     model, lora, arguments of transformers' Trainer, max_length, seed, stage, ...
    rows.jsonl   each row once: input_ids, labels (-100 carries no loss)
    order.json   which row is shown when: {"train": [0, 5, ...], "dev": [...]}

and gets `adapter/` (a PEFT adapter), `result.json` (what was logged, and versions) and `steps.txt`.
The rows are token ids already: no tokenizer or chat template of this environment touches them.
`--trainer plain` takes transformers and PEFT without Unsloth, to tell whose fault a failure is.
"""

import argparse
import json
import math
import os
import sys
import threading
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

_LOOK_S = 0.5


def main() -> None:
    """Train what the job folder says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("job", type=Path)
    parser.add_argument("--trainer", choices=["unsloth", "plain"], default="unsloth")
    given = parser.parse_args()
    folder: Path = given.job
    job = json.loads((folder / "job.json").read_text())
    threading.Thread(target=_end_with, args=(job["stage"],), daemon=True).start()
    model = _with_unsloth(job) if given.trainer == "unsloth" else _plain(job)
    trainer = _trainer(job, folder, model)
    trainer.train(resume_from_checkpoint=job["checkpoint"])
    model.save_pretrained(str(folder / "adapter"))
    names = ["torch", "transformers", "peft", *(["unsloth"] if given.trainer == "unsloth" else [])]
    found = {"log": trainer.state.log_history, "versions": {name: version(name) for name in names}}
    unfinished = folder / "result.tmp"
    unfinished.write_text(json.dumps(found))
    unfinished.rename(folder / "result.json")


def _with_unsloth(job: dict[str, Any]) -> Any:
    fast = import_module("unsloth").FastLanguageModel  # before transformers, which it changes
    model, _ = fast.from_pretrained(
        model_name=job["model"], max_seq_length=job["max_length"], dtype=None,
        load_in_4bit=job["four_bits"], use_exact_model_name=True, random_state=job["seed"],
        use_gradient_checkpointing=job["checkpointing"],
    )  # fmt: skip
    return fast.get_peft_model(
        model, **job["lora"], random_state=job["seed"],
        use_gradient_checkpointing=job["checkpointing"],
    )  # fmt: skip


def _plain(job: dict[str, Any]) -> Any:
    torch, peft, transformers = (import_module(name) for name in ("torch", "peft", "transformers"))
    torch.manual_seed(job["seed"])
    on_gpu = torch.cuda.is_available()
    options: dict[str, Any] = {"dtype": torch.bfloat16 if on_gpu else torch.float32}
    if job["four_bits"]:
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=options["dtype"],
        )  # fmt: skip
    model = transformers.AutoModelForCausalLM.from_pretrained(job["model"], **options)
    if job["checkpointing"]:
        model.enable_input_require_grads()
    return peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", **job["lora"]))


def _trainer(job: dict[str, Any], folder: Path, model: Any) -> Any:
    torch, transformers = import_module("torch"), import_module("transformers")
    lines = (folder / "rows.jsonl").read_text().splitlines()
    order = json.loads((folder / "order.json").read_text())
    rows = [json.loads(line) for line in lines]
    train, dev = ([rows[place] for place in order[side]] for side in ("train", "dev"))

    class Trainer(transformers.Trainer):  # type: ignore[misc, name-defined]
        def _get_train_sampler(self, *_: Any, **__: Any) -> Any:
            return torch.utils.data.SequentialSampler(train)

    class Watch(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            (folder / "steps.txt").write_text(str(state.global_step))

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            for name in ("loss", "eval_loss"):
                if not math.isfinite((logs or {}).get(name, 0.0)):
                    sys.exit(f"{name} is {logs[name]} at step {state.global_step}")

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            saved = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (saved / job["whole"]).write_text("whole\n")  # last: without it a kill tore it

    on_gpu = torch.cuda.is_available()
    bf16 = on_gpu and torch.cuda.is_bf16_supported()
    arguments = transformers.TrainingArguments(
        use_cpu=not on_gpu, bf16=bf16, fp16=on_gpu and not bf16,
        gradient_checkpointing=job["checkpointing"], **job["arguments"],
    )  # fmt: skip
    trainer = Trainer(
        model=model, args=arguments, train_dataset=train, eval_dataset=dev or None,
        data_collator=lambda examples: _padded(torch, examples, job["pad"]),
    )  # fmt: skip
    trainer.add_callback(Watch())
    return trainer


def _padded(torch: Any, examples: list[dict[str, list[int]]], pad: int) -> dict[str, Any]:
    """Rows on lines of their own, padded on the right."""
    width = max(len(example["input_ids"]) for example in examples)
    fill = {"input_ids": pad, "labels": -100, "attention_mask": 0}
    lines: dict[str, list[list[int]]] = {name: [] for name in fill}
    for example in examples:
        row = {**example, "attention_mask": [1] * len(example["input_ids"])}
        for name, filler in fill.items():
            lines[name].append(row[name] + [filler] * (width - len(row[name])))
    return {name: torch.tensor(found) for name, found in lines.items()}


def _end_with(stage: int) -> None:
    """End once the process that asked for this is gone, so that nobody trains on in its folder."""
    while True:
        try:
            os.kill(stage, 0)
        except ProcessLookupError:
            os._exit(1)
        time.sleep(_LOOK_S)


if __name__ == "__main__":
    main()
