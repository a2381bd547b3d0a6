"""GGUF files of a judge in llama.cpp: the same ids and chances, and planted defects refused.

The students have random weights and a width of 256, so that Q4_K_M is what it says.
"""

import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.gguf.convert import describe, fallen_back, write_gguf
from judgesmith.backends.llama_cpp import LlamaCpp, NotThisJudge
from judgesmith.backends.loading import load
from judgesmith.backends.local_model import LocalModel
from judgesmith.backends.student import FromNothing, build_student, open_tokenizer
from judgesmith.models.protocol import Request, Sampling, Wanted
from judgesmith.records import Finish, Message

SIZE = FromNothing(width=256, layers=2, heads=4, vocabulary=600, context=256)
TEXTS = ["Which response is worse, A or B? <reasoning>It is so.</reasoning><verdict>TIE</verdict>"]
OPTIONS = ("1", "10", "2", "TIE")
Open = Callable[..., LlamaCpp]


def asked(forced: str | None = None, *, number: int = 0, wanted: Wanted | None = None) -> Request:
    return Request(
        record_id=str(number), sampling=Sampling(max_tokens=12), wanted=wanted, forced=forced,
        messages=(
            Message(role="system", content="Judge <s> it."),
            Message(role="user", content=f"Was it {number} or B? <|end|> don't"),
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("student")
    build_student(SIZE, TEXTS * 20, folder, seed=2)
    return folder


@pytest.fixture(scope="module", autouse=True)
def llama(server_python: Path) -> Iterator[None]:
    """The built llama.cpp, and one thread."""
    load("torch").set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUDGESMITH_LLAMA_PYTHON", str(server_python))
        yield


@pytest.fixture(scope="module")
def files(student: Path, tmp_path_factory: pytest.TempPathFactory, llama: None) -> dict[Any, Path]:
    folder = tmp_path_factory.mktemp("gguf")
    return write_gguf(student, ["f16", "q8_0", "q4_k_m"], folder, "judge")  # type: ignore[return-value]


@pytest.fixture
def opened(student: Path, files: dict[Any, Path]) -> Iterator[Open]:
    models: list[LlamaCpp] = []

    def open_one(kind: str = "f16", tokenizer: Path | None = None) -> LlamaCpp:
        models.append(LlamaCpp("judge", files[kind], str(tokenizer or student)))
        return models[-1]

    yield open_one
    for one in models:
        one.close()


def test_at_a_width_of_256_nothing_falls_back(files: dict[Any, Path]) -> None:
    for (kind, file), found in zip(files.items(), describe([*files.values()]), strict=True):
        assert fallen_back(found.tensors, kind) == 0, (file, found)
    sizes = [files[kind].stat().st_size for kind in ("f16", "q8_0", "q4_k_m")]
    assert sizes == sorted(sizes, reverse=True)


def test_replies_and_chances_are_those_of_the_same_weights(
    student: Path, opened: Open, measured: Callable[[str, str], None]
) -> None:
    """Written replies token by token; verdicts read out after a given beginning, scored whole."""
    ours, theirs = LocalModel("judge", str(student)), opened()
    written = [asked(number=n) for n in range(6)]
    pairs = list(zip(ours.complete(written), theirs.complete(written), strict=True))
    assert [b.text for _, b in pairs] == [a.text for a, _ in pairs]
    assert [b.prompt_tokens for _, b in pairs] == [a.prompt_tokens for a, _ in pairs]
    wanted = Wanted(after="<verdict>", options=OPTIONS, closing="</verdict>")
    forced = [asked("<verdict>", number=n, wanted=wanted) for n in range(6)]
    found = list(theirs.complete(forced))
    worst = 0.0
    for request, one in zip(forced, found, strict=True):
        expected = by_hand(ours, student, request)
        assert one.probabilities is not None
        assert sum(one.probabilities.values()) == pytest.approx(1)
        total = sum(expected)
        assert one.covered == pytest.approx(total, rel=0.02)
        for mass, chance in zip(expected, one.probabilities.values(), strict=True):
            worst = max(worst, abs(mass / total - chance))
        likeliest = max(one.probabilities, key=one.probabilities.__getitem__)
        assert one.text == f"<verdict>{likeliest}</verdict>"
    measured("chances of a verdict, f16 against transformers", f"at most {worst:.1g} apart")
    assert worst < 2e-3


def by_hand(model: LocalModel, student: Path, request: Request) -> list[float]:
    """The mass of each option by one plain forward pass, without any of our read-out."""
    from judgesmith.backends.encode import encode_prompt

    torch, tokenizer = load("torch"), open_tokenizer(str(student))
    prompt = encode_prompt(tokenizer, request.messages)
    rows = [tokenizer(f"<verdict>{one}</verdict>")["input_ids"] for one in OPTIONS]
    stem = len(os.path.commonprefix(rows))  # noqa: RUF071 (of lists)
    masses = []
    for ids in rows:
        with torch.inference_mode():
            logits = model._model(torch.tensor([prompt + ids])).logits[0].log_softmax(-1)
        places = range(len(prompt) + stem - 1, len(prompt) + len(ids) - 1)
        following = (prompt + ids)[len(prompt) + stem :]
        masses.append(
            float(sum(logits[p, t] for p, t in zip(places, following, strict=True)).exp())
        )
    return masses


def test_a_prompt_that_does_not_fit_is_too_long(opened: Open) -> None:
    request = asked()
    long = request.model_copy(
        update={"messages": (Message(role="user", content="word " * 400),)}
    )  # fmt: skip
    found = list(opened().complete([long, request]))
    assert [one.too_long for one in found] == [True, False]


def test_a_process_that_is_killed_fails_one_request_and_not_the_next(opened: Open) -> None:
    model = opened()
    before = [one.text for one in model.complete([asked(), asked(number=1)])]
    process = model._worker._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    found = list(model.complete([asked(), asked(), asked(number=1)]))
    assert found[0].finish is Finish.FAILED
    assert "signal 9" in (found[0].failure or "")
    assert [one.text for one in found[1:]] == before


def planted(student: Path, out: Path, old: str, new: str) -> Path:
    """The student's folder with another chat template."""
    shutil.copytree(student, out)
    template = out / "chat_template.jinja"
    assert old in template.read_text()
    template.write_text(template.read_text().replace(old, new))
    return out


@pytest.mark.parametrize(
    ("old", "new"), [("'<|user|>'", "'<|user|> '"), ("{{ '<s>' }}", ""), ("'<|judge|>'", "'J: '")]
)
def test_defect_15_a_file_with_another_chat_template_is_refused(
    old: str, new: str, student: Path, opened: Open, tmp_path: Path
) -> None:
    """Planted: a client of the file that sends messages gets another prompt than in training."""
    with pytest.raises(NotThisJudge, match="is not the judge of"):
        opened(tokenizer=planted(student, tmp_path / "judge", old, new))


def test_defect_15_a_file_with_another_tokenizer_is_refused(opened: Open, tmp_path: Path) -> None:
    build_student(SIZE, ["quite other words, and many more of them"] * 9, tmp_path, seed=2)
    with pytest.raises(NotThisJudge, match="token"):
        opened(tokenizer=tmp_path)


def test_a_file_that_is_none_is_refused(student: Path, tmp_path: Path) -> None:
    file = tmp_path / "torn.gguf"
    file.write_bytes(b"GGUF" + b"\x00" * 100)
    with pytest.raises((NotThisJudge, Exception), match=r"torn\.gguf|llama\.cpp"):
        LlamaCpp("judge", file, str(student))


CHANGES = (
    *(f"{stage}.dialect=bias-single-compact" for stage in ("labels", "rows", "sft", "evaluate")),
    "sft.student.width=256", "sft.steps=200", "sft.learning_rate=0.01", "sft.eval_every=200",
    "sft.dev_items=24", "sft.reply_tokens=60", "split.max_dev=24", "split.dev_share=0.3",
)  # fmt: skip


def test_defect_20_a_run_is_exported_checked_and_a_spoiled_file_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the recipe to files in llama.cpp; then with a quantiser that spoils what it writes."""
    from judgesmith.pipeline import open_run
    from judgesmith.pipeline.export_run import export_config, export_run
    from judgesmith.stages.export import stage as export_stage

    recipe = Path(__file__).parents[1] / "recipes" / "tiny.yaml"
    in_own_process(
        ["run", recipe, "--run", tmp_path / "run", "--until", "sft",
         *(part for change in CHANGES for part in ("--set", change))]
    )  # fmt: skip
    run_dir, opened = open_run(tmp_path / "run")
    given = {"gguf": ("f16", "q4_k_m"), "ollama": True, "vllm": True, "max_kappa_loss": 0.99}
    found = export_run(run_dir, opened, export_config(opened, given))
    (one,) = found.exported
    assert [p.form for p in one.parity] == ["Hugging Face folder", "F16", "Q4_K_M"]
    assert found.outcome == "pass"
    folder = run_dir.file("export/sft")
    names = {"judge-sft-F16.gguf", "judge-sft-Q4_K_M.gguf", "Modelfile.Q4_K_M", "README.md",
             "docker-compose.yaml", "judge.json"}  # fmt: skip
    assert names <= {file.name for file in folder.iterdir()}

    def spoiled(model: Path, *rest: Any) -> Any:
        """As a quantiser that writes one matrix wrong."""
        torch, safetensors = load("torch"), load("safetensors.torch")
        other = shutil.copytree(model, tmp_path / "spoiled", dirs_exist_ok=True)
        weights = safetensors.load_file(other / "model.safetensors")
        name = next(name for name in weights if name.endswith("down_proj.weight"))
        weights[name] = torch.randn_like(weights[name])
        safetensors.save_file(weights, other / "model.safetensors", {"format": "pt"})
        return write_gguf(other, *rest)

    monkeypatch.setattr(export_stage, "write_gguf", spoiled)
    given["max_kappa_loss"] = 0.0
    again = export_run(run_dir, opened, export_config(opened, given))
    lost = {p.form: p for p in again.exported[0].parity}
    assert (lost["F16"].flips.value or 0) > 0.2
    assert again.outcome in ("fail", "inconclusive")
    told = json.loads(run_dir.file("export/export.json").read_text())
    assert told["exported"][0]["parity"][1]["outcome"] in ("fail", "inconclusive")


def in_own_process(arguments: list[Any]) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "judgesmith", *map(str, arguments)], check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
