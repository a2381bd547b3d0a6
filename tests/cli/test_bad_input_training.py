"""What a new user gets wrong on the way to a judge: one message, exit code 2, nothing half-made.

The command's own `main` runs in this process, so that its libraries are imported once.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.backends.loading import load
from judgesmith.backends.origin import FILE as ORIGIN
from judgesmith.backends.student import FromNothing, build_student
from judgesmith.cli.main import ERROR, main

DIALECT = "prometheus-relative"
SMALL: dict[str, Any] = {
    "name": "small", "task": "general", "seed": 3,
    "questions": {"sources": [{"kind": "simulated", "count": 60}]},
    "responses": {"simulated": [{"name": "a", "skill": 0.3}, {"name": "b", "skill": 0.9}]},
    "items": {"preset": "graded", "quota_scale": 0.02},
    "split": {"level": "question", "dev_share": 0.2},
    "labels": {"dialect": DIALECT, "key_policy": "share_held"},
    "rows": {"dialect": DIALECT},
    "sft": {
        "dialect": DIALECT, "steps": 1, "learning_rate": 0.001, "batch": 2, "max_length": 880,
        "eval_every": 1, "dev_items": 0, "reply_tokens": 8,
        "student": {"width": 16, "layers": 1, "heads": 1, "vocabulary": 400, "context": 900},
    },
    "evaluate": {"dialect": DIALECT, "labels": "key", "reply_tokens": 8},
}  # fmt: skip
OWN = {
    "kind": "pair", "direction": "better", "scale": ["A", "B"],
    "reply": "{rationale} I say {verdict}.",
    "user": "{{ question }} {{ responses[0].text }} {{ responses[1].text }}",
}  # fmt: skip
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

Mistake = Callable[..., str]
Train = Callable[..., str]


@pytest.fixture
def mistake(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Mistake:
    """`judgesmith ARGUMENTS`, which is refused with exit code 2; the message."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["judgesmith", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr().err
        assert stopped.value.code == ERROR, said
        assert said.rpartition("error: ")[1], said
        return said.rpartition("error: ")[2]

    return run


def write(path: Path, recipe: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


def changed(*paths: tuple[str, Any]) -> dict[str, Any]:
    """The recipe with other values at dotted paths."""
    recipe = deepcopy(SMALL)
    for path, value in paths:
        *parents, last = path.split(".")
        place = recipe
        for part in parents:
            place = place.setdefault(part, {})
        place[last] = value
    return recipe


def done(*arguments: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["judgesmith", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
    assert not stopped.value.code


# Dialects


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("labels.dialect", "prometheus-relatve"),
        ("labels.more", ["prometheus-relatve"]),
        ("rows.dialect", "prometheus-relatve"),
        ("sft.dialect", "prometheus-relatve"),
        ("evaluate.dialect", "prometheus-relatve"),
        ("evaluate.also", [{"dialect": "prometheus-relatve"}]),
    ],
)
def test_an_unknown_dialect_is_refused_before_the_first_stage(
    mistake: Mistake, tmp_path: Path, setting: str, value: object
) -> None:
    path = write(tmp_path / "r.yaml", changed((setting, value)))
    said = mistake("run", path, "--run", tmp_path / "run")
    assert f"{path}: {setting.partition('.')[0]}: unknown dialect 'prometheus-relatve'" in said
    assert "did you mean 'prometheus-relative'" in said
    assert not (tmp_path / "run").exists()


def test_a_student_that_no_stage_makes_is_refused_before_the_first_stage(
    mistake: Mistake, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.yaml", changed(("evaluate.students", ["studnet", "merged"])))
    said = mistake("run", path, "--run", tmp_path / "run")
    assert "evaluate.students: no stage of the recipe makes 'studnet'" in said
    assert "did you mean 'student'" in said
    assert not (tmp_path / "run").exists()


SCORES = "prometheus-absolute"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([("sft.student.heads", 3)], "expected a width that is a multiple of 6, such as 12 or 18"),
        ([("sft.student.width", 18), ("sft.student.heads", 2)], "multiple of 4, such as 16 or 20"),
        ([("sft.student.width", 6), ("sft.student.heads", 2)], "multiple of 4, such as 4 or 8"),
        ([("sft.student.context", 100)], "sft.max_length: expected at most 100"),
        ([("evaluate.dialect", "judgelm")], f"that 'student' learns, {DIALECT!r}, found 'judgelm'"),
        ([("sft.dialect", "judgelm")], "'judgelm' is not a dialect of the rows, which are in"),
    ],
)
def test_sections_that_do_not_go_together_are_refused_before_the_first_stage(
    mistake: Mistake, tmp_path: Path, settings: list[tuple[str, Any]], said: str
) -> None:
    path = write(tmp_path / "r.yaml", changed(*settings))
    assert said in mistake("run", path, "--run", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def scores_of_single_responses(folder: Path, **settings: object) -> Path:
    """A recipe that learns scores from the feedback of a model, on 40 questions of one template."""
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps(feedback(n)) + "\n" for n in range(40)))
    about = {"annotator": "a", "annotator_kind": "model", "licence": "MIT"}
    imported = {"kind": "feedback_collection", "path": str(file), "about": about}
    given: list[tuple[str, Any]] = [
        ("questions", {"sources": [imported]}), ("responses", {"imports": [imported]}),
        ("items", {"imports": [imported]}), ("labels", {"dialect": SCORES, "imports": [imported]}),
        ("rows", {"dialect": SCORES, "labels": "model"}), ("sft.dialect", SCORES),
        ("evaluate.dialect", SCORES), ("evaluate.labels", "model"), ("gate", {"kappa": 0.6}),
    ]  # fmt: skip
    return write(folder / "r.yaml", changed(*given, *settings.items()))


def test_a_gate_that_scores_can_never_pass_is_refused(mistake: Mistake, tmp_path: Path) -> None:
    path = scores_of_single_responses(tmp_path)
    said = mistake("run", path, "--run", tmp_path / "run")
    assert "this gate can never be passed. Set gate.correlation or gate.exact" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"evaluate.labels": "person"},
            "has a score of kind 'person'. Labels of test items by kind, in any dialect: model (8)."
            " Import verdicts by people",
        ),
        ({"split.level": "template"}, "split: no item is left to train on (test: 40)"),
    ],
)  # fmt: skip
def test_what_leaves_nothing_to_learn_or_to_measure_is_refused_before_training(
    mistake: Mistake, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    gated = {"gate": {"correlation": 0.3}, "sft.max_length": 900, **settings}
    path = scores_of_single_responses(tmp_path, **gated)
    assert said in mistake("run", path, "--run", tmp_path / "run")
    assert not list((tmp_path / "run").glob("sft/*"))


@pytest.mark.parametrize(
    ("field", "value", "line", "said"),
    [
        ("user", "{{ question }} {% for r in responses %}", "mine:", "`user`, line 1: Unexpected"),
        ("user", "{{ qestion }}", "mine:", "'qestion' is undefined; did you mean 'question'"),
        ("reply", "{rationale} I say {verdct}.", "reply:", "unknown slot {verdct}"),
        ("reply", "I say so.", "reply:", "found no slot"),
        ("scale", {"low": 5, "high": 1}, "scale:", "`low` and `high` with low < high"),
        ("direction", "beter", "direction:", "'better' or 'worse'"),
        ("kindd", "pair", "kindd:", "did you mean 'kind'"),
        (
            "examples", [{"reply": "So. I say B.", "verdict": "A"}], "mine:",
            "example 1, 'So. I say B.': expected 'A', and the dialect reads 'B'",
        ),
    ],
)  # fmt: skip
def test_a_dialect_of_ones_own_is_checked_where_it_is_written(
    mistake: Mistake, tmp_path: Path, field: str, value: object, line: str, said: str
) -> None:
    recipe = changed(("dialects", {"mine": {**OWN, field: value}}))
    path = write(tmp_path / "r.yaml", recipe)
    found = mistake("run", path, "--run", tmp_path / "run")
    lines = path.read_text().splitlines()
    number = next(n for n, text in enumerate(lines, start=1) if text.strip().startswith(line))
    assert f"{path}:{number}: " in found
    assert said in found
    assert not (tmp_path / "run").exists()


def test_yaml_that_is_none_names_its_line(mistake: Mistake, tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", changed(("dialects", {"mine": OWN})))
    text = path.read_text().replace("    scale:\n    - A\n", "    scale: [A, B\n")
    path.write_text(text)
    number = text.splitlines().index("    scale: [A, B") + 1
    found = mistake("run", path, "--run", tmp_path / "run")
    assert "not valid YAML" in found
    assert f"line {number}" in found


# Data


def feedback(n: int, **fields: Any) -> dict[str, Any]:
    """A row of the Feedback Collection."""
    return {
        "orig_instruction": f"Explain {n}.", "orig_response": f"It is {n}.",
        "orig_criteria": "Is it right?", "orig_feedback": "It is.", "orig_score": "4",
        **{f"orig_score{i}_description": f"{i} of five" for i in range(1, 6)},
    } | fields  # fmt: skip


def published(
    path: Path, rows: Iterable[Any], dialect: str, kind: str = "feedback_collection"
) -> Any:
    """A recipe that labels by the judgments of a file."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = {"kind": kind, "path": str(path)}
    return changed(
        ("questions", {"sources": [source]}), ("responses", {"imports": [source]}),
        ("items", {"imports": [source]}), ("labels", {"dialect": dialect, "imports": [source]}),
        ("sft.dialect", dialect), ("evaluate.dialect", dialect),
        ("rows", {"dialect": dialect, "labels": "model"}),
    )  # fmt: skip


ABSOLUTE = "prometheus-absolute"
RENAMED = {k.replace("orig_response", "orig_respnse"): v for k, v in feedback(2).items()}


@pytest.mark.parametrize(
    ("rows", "kind", "dialect", "said"),
    [
        ([feedback(1), RENAMED], "feedback_collection", ABSOLUTE,
         "rows.jsonl:2: not a valid FeedbackRow:\n  field 'orig_response' is missing; found "
         "'orig_respnse': rename it if that is meant"),
        ([feedback(1)], "judgelm", "judgelm",
         "rows.jsonl:1: expected the fields 'question_body', 'answer1_body' and 'answer2_body', "
         "found orig_criteria"),
        ([{"promt": "a", "chosen": "b"}], "preferences", DIALECT,
         "rows.jsonl:1: expected the field 'rejected', found chosen, promt."),
        ([feedback(1, orig_score="four")], "feedback_collection", ABSOLUTE,
         "rows.jsonl:1: field 'orig_score': expected a number, found 'four'."),
        ([feedback(n, orig_score=9) for n in range(9)], "feedback_collection", ABSOLUTE,
         "no label at all; every imported verdict was left out (imported verdicts off the scale "
         "of their dialect: 9)"),
        ([feedback(n) for n in range(9)], "feedback_collection", DIALECT,
         "labels: dialect 'prometheus-relative' is of kind pair and shows two responses; found "
         "items 9 of one response."),
    ],
    ids=["column", "set", "neither", "no number", "off the scale", "kind of items"],
)  # fmt: skip
def test_a_file_that_does_not_fit(
    mistake: Mistake, tmp_path: Path, rows: list[Any], kind: str, dialect: str, said: str
) -> None:
    path = write(tmp_path / "r.yaml", published(tmp_path / "rows.jsonl", rows, dialect, kind))
    assert said in mistake("run", path, "--run", tmp_path / "run", "--until", "rows")
    for made in ("labels/labels.jsonl", "rows/sft.jsonl"):
        assert not (tmp_path / "run" / made).exists()


def test_items_that_the_dialect_cannot_show(mistake: Mistake, tmp_path: Path) -> None:
    path = write(tmp_path / "r.yaml", changed(("labels.dialect", "judgelm-list")))
    said = mistake("run", path, "--run", tmp_path / "run", "--until", "labels")
    assert "dialect 'judgelm-list' is of kind list and shows several responses; found items" in said


# Students


@pytest.fixture(scope="module")
def rows_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small recipe up to its rows."""
    folder = tmp_path_factory.mktemp("rows")
    path = write(folder / "r.yaml", SMALL)
    done("run", path, "--run", folder / "run", "--until", "rows")
    return folder / "run"


@pytest.fixture(scope="module")
def base(rows_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny student with a tokenizer of the rows, as if it had been trained before."""
    folder = tmp_path_factory.mktemp("base") / "base"
    rows = [json.loads(line) for line in (rows_run / "rows/sft.jsonl").read_text().splitlines()]
    texts = [t for row in rows for t in (row["prompt"][-1]["content"], row["completion"])]
    size = FromNothing(width=16, layers=1, heads=1, vocabulary=400, context=900)
    build_student(size, texts, folder, seed=3)
    (folder / "from_nothing.json").unlink()
    return folder


@pytest.fixture
def train(mistake: Mistake, rows_run: Path, tmp_path: Path) -> Train:
    """Train a student in a copy of the run, which is refused; the message."""

    def run(student: Path | None = None, **settings: object) -> str:
        given = settings if student is None else {"student": str(student), **settings}
        path = write(tmp_path / "r.yaml", changed(*((f"sft.{k}", v) for k, v in given.items())))
        folder = Path(shutil.copytree(rows_run, tmp_path / "run"))
        said = mistake("run", path, "--run", folder, "--until", "sft")
        assert not (folder / "sft/student").exists()
        assert not (folder / "sft/manifest.json").exists()
        return said

    return run


def tensors_of(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a weight file again, changed."""
    library = load("safetensors.torch")
    held = library.load_file(file)
    change(held)
    library.save_file(held, file, metadata={"format": "pt"})


def with_nan(held: dict[str, Any]) -> None:
    name = next(name for name in held if "q_proj" in name)
    held[name][0, 0] = float("nan")


def torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def adapter(folder: Path, base: Path, *, width: int = 16) -> Path:
    """An adapter as PEFT writes it, with random weights."""
    torch = load("torch")
    draw, held = torch.Generator().manual_seed(1), {}
    for part in ("q_proj", "v_proj"):
        start = f"base_model.model.model.layers.0.self_attn.{part}.lora_"
        held[f"{start}A.weight"] = torch.randn(2, width, generator=draw)
        held[f"{start}B.weight"] = torch.randn(width, 2, generator=draw)
    folder.mkdir()
    load("safetensors.torch").save_file(held, folder / WEIGHTS)
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4,
        "base_model_name_or_path": str(base), "target_modules": ["q_proj", "v_proj"],
    }  # fmt: skip
    (folder / CONFIG).write_text(json.dumps(config))
    return folder


def nowhere(folder: Path) -> None:
    shutil.rmtree(folder)


def empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def half_written(folder: Path) -> None:
    torn(folder / "model.safetensors")


def diverged(folder: Path) -> None:
    tensors_of(folder / "model.safetensors", with_nan)


def lacking(folder: Path) -> None:
    tensors_of(
        folder / "model.safetensors", lambda held: held.pop(next(n for n in held if "q_proj" in n))
    )


def other_tokenizer(folder: Path) -> None:
    """More tokens than the model has embeddings of."""
    size = FromNothing(width=16, layers=1, heads=1, vocabulary=450, context=900)
    other = folder.with_name("other")
    texts = [(folder / "tokenizer.json").read_text()[:50_000]]
    build_student(size, texts, other, seed=3)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(other / name, folder / name)


def no_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def torn_config(folder: Path) -> None:
    torn(folder / "config.json")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (nowhere, "there is no such folder"),
        (empty, "the folder holds no config.json"),
        (torn_config, "not a valid JSON file"),
        (half_written, "model.safetensors: the file is not whole"),
        (diverged, "1 numbers of model.layers.0.self_attn.q_proj.weight are not finite"),
        (lacking, "1 are missing or of another shape, such as model.layers.0.self_attn.q_proj"),
        (other_tokenizer, "so it is the tokenizer of another model"),
        (no_template, "its tokenizer has no chat template"),
    ],
)
def test_a_student_that_cannot_be_trained(
    train: Train, base: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    folder = Path(shutil.copytree(base, tmp_path / "student"))
    spoil(folder)
    # A tokenizer of other texts takes more tokens for the rows.
    assert said in train(folder, max_length=5000)


def another_base(folder: Path, base: Path) -> None:
    origin = {"dialects": {}, "base": str(base), "base_hash": "0" * 64, "reply_tokens": None}
    (folder / ORIGIN).write_text(json.dumps(origin))


def other_shapes(folder: Path, base: Path) -> None:
    nowhere(folder)
    adapter(folder, base, width=24)


def base_gone(folder: Path, base: Path) -> None:
    config = json.loads((folder / CONFIG).read_text())
    config["base_model_name_or_path"] = str(base.with_name("gone"))
    (folder / CONFIG).write_text(json.dumps(config))


def adapter_torn(folder: Path, base: Path) -> None:
    torn(folder / WEIGHTS)


def adapter_config_torn(folder: Path, base: Path) -> None:
    torn(folder / CONFIG)


def adapter_diverged(folder: Path, base: Path) -> None:
    tensors_of(folder / WEIGHTS, with_nan)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (another_base, "was trained on another base than"),
        (other_shapes, "the adapter does not fit its base"),
        (base_gone, "gone is not there. Put it back"),
        (adapter_torn, "adapter_model.safetensors: the file is not whole"),
        (adapter_config_torn, "adapter_config.json: not valid JSON"),
        (adapter_diverged, "are not finite"),
    ],
)
def test_an_adapter_that_cannot_be_trained_on(
    train: Train, base: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], said: str
) -> None:
    folder = adapter(tmp_path / "student", base)
    spoil(folder, base)
    assert said in train(folder)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_length": 60}, "no training row fits into sft.max_length = 60 tokens"),
        ({"max_length": 450}, "are longer than sft.max_length = 450 tokens and would be left out"),
        ({"peft": {"rank": 2}}, "sft.peft: LoraConfig has no option 'rank'"),
        ({"peft": {"r": 2, "target_modules": ["nope"]}}, "refused for this student: Target modul"),
        ({"trl": {"learning_rat": 1}}, "did you mean 'learning_rate'"),
        ({"quantize": "nf4"}, "Give sft.peft an adapter"),
    ],
)
def test_settings_that_do_not_fit_the_student(
    train: Train, base: Path, settings: dict[str, Any], said: str
) -> None:
    assert said in train(base, **settings)


# A judge that was trained, and is to judge


@pytest.fixture(scope="module")
def trained(rows_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run with its student, which learned one step."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(rows_run, folder)
    done("run", folder / "recipe.yaml", "--run", folder, "--until", "sft")
    return folder


def other_dialect(folder: Path) -> None:
    origin = json.loads((folder / ORIGIN).read_text())
    origin["dialects"] = {DIALECT: "0" * 16}
    (folder / ORIGIN).write_text(json.dumps(origin))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (half_written, "model.safetensors: the file is not whole"),
        (diverged, "q_proj.weight are not finite"),
        (other_tokenizer, "so it is the tokenizer of another model"),
        (other_dialect, "student 'student' was trained in dialect 'prometheus-relative' (000000"),
    ],
)
@pytest.mark.parametrize("command", ["judge", "evaluate"])
def test_a_spoilt_student_judges_nothing(
    mistake: Mistake, trained: Path, tmp_path: Path, command: str, spoil: Any, said: str
) -> None:
    run = Path(shutil.copytree(trained, tmp_path / "run"))
    spoil(run / "sft/student")
    pairs = tmp_path / "pairs.jsonl"
    row = {"question": "q", "response_a": "a", "response_b": "b", "verdict": "A", "names": "better"}
    row |= {"fields": {"criterion": "c"}}
    pairs.write_text(json.dumps(row) + "\n")
    given = {"judge": (pairs, "--judge", run), "evaluate": (run, pairs, "--out", tmp_path / "out")}
    before = set(tmp_path.iterdir())
    assert said in mistake(command, *given[command])
    assert set(tmp_path.iterdir()) == before


# Judges that cannot be merged


def other_base(folder: Path, base: Path) -> None:
    other = Path(shutil.copytree(base, folder.with_name("other-base")))
    tensors_of(other / "model.safetensors", lambda held: next(iter(held.values())).add_(1))
    nowhere(folder)
    adapter(folder, other)


def no_weights(folder: Path, base: Path) -> None:
    (folder / WEIGHTS).unlink()


def two_tokenizers(folder: Path, base: Path) -> None:
    """The other judge has the base's; this one has another."""
    for place in (folder, folder.with_name("first")):
        shutil.copy(base / "tokenizer.json", place)
    text = json.loads((folder / "tokenizer.json").read_text())
    text["added_tokens"][0]["content"] = "<other>"
    (folder / "tokenizer.json").write_text(json.dumps(text))


def changed_dialect(folder: Path, base: Path) -> None:
    for place, digest in ((folder, "1" * 16), (folder.with_name("first"), "2" * 16)):
        origin = {
            "dialects": {"mine": digest}, "base": str(base), "base_hash": None,
            "reply_tokens": None,
        }  # fmt: skip
        (place / ORIGIN).write_text(json.dumps(origin))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (other_base, "Deltas to different bases cannot be merged"),
        (adapter_diverged, "holds NaN or infinite weights"),
        (adapter_torn, "expected a whole safetensors file, found"),
        (adapter_config_torn, "adapter_config.json: expected JSON"),
        (no_weights, "expected adapter_model.safetensors, found no weights"),
        (two_tokenizers, "its tokenizer differs from that of"),
        (changed_dialect, "dialect 'mine' has hash 111111111111, in another input 222222222222"),
        (other_shapes, "first"),
    ],
)
def test_judges_that_cannot_be_merged(
    mistake: Mistake, base: Path, tmp_path: Path, spoil: Callable[[Path, Path], None], said: str
) -> None:
    first, second = (adapter(tmp_path / name, base) for name in ("first", "second"))
    spoil(second, base)
    assert said in mistake("merge", first, second, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".*"))
