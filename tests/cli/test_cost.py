"""`judgesmith cost` as a user runs it: a file, a run, both; and what it writes."""

import html
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.cli.costing import cost_command
from judgesmith.costs import example
from judgesmith.errors import DataError, JudgesmithError, RunError
from judgesmith.pipeline import open_run
from judgesmith.pipeline.report_run import collect
from judgesmith.report.html import render_html
from judgesmith.report.markdown import render_markdown

TEMPLATE = "<reasoning>Reply {number}.</reasoning><verdict>{verdict}</verdict>"


@pytest.fixture
def cost_file(tmp_path: Path) -> Path:
    """The example."""
    path = tmp_path / "cost.yaml"
    path.write_text(example(), encoding="utf-8")
    return path


def cost(*targets: Path | str, what_if: tuple[str, ...] = (), out: tuple[Path, ...] = ()) -> None:
    """The command without a process of its own."""
    cost_command([str(target) for target in targets], what_if, out, draws=10_001, seed=0)


def test_the_example_is_worked_out_and_written(
    command: Any, cost_file: Path, tmp_path: Path
) -> None:
    out, page = tmp_path / "cost.json", tmp_path / "cost.md"
    done = command("cost", cost_file, "--out", out, "--out", page)
    assert done.returncode == 0, done.stderr
    assert "nightly against sonnet (batch API): Use your own judge." in done.stdout
    assert "always_on against sonnet (API): Keep the API" in done.stdout
    assert "own judge (always_on) never pays" in done.stdout
    assert "warning: the price of sonnet (as of 2026-05-02) is" in done.stdout
    for title in ("What a judgment costs", "Paid once", "Break-even", "hangs on"):
        assert title in done.stdout
    found = json.loads(out.read_bytes())
    rows = {(row["own"], row["api_kind"]): row for row in found["paybacks"]}
    assert rows["always_on", "API"]["months"] == {"low": None, "middle": None, "high": None}
    assert found["draws"] == 10_001
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Cost\n")
    assert "### Inputs" in text
    assert "| once.people.minutes | 1 to 3 | the cost file |" in text
    again = tmp_path / "again.json"
    cost(cost_file, out=(again,))
    assert again.read_bytes() == out.read_bytes()


def test_what_if(cost_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cost(cost_file, what_if=("judgments_per_month=200000",))
    said = capsys.readouterr().out
    assert "always_on against sonnet (API): Use your own judge. At 200,000" in said


def test_a_run_without_prices_says_what_it_measured(command: Any, tiny_run: Path) -> None:
    done = command("cost", tiny_run)
    assert done.returncode == 0, done.stderr
    lines = {" ".join(line.split()) for line in done.stdout.splitlines()}
    assert any(line.startswith("training ") and "sft/manifest.json" in line for line in lines)
    assert "calls for a judgment 2 evaluate/manifest.json" in lines
    assert "judgesmith cost --example" in done.stdout


def test_a_run_fills_in_what_the_file_leaves_out(
    command: Any, fault_server: Any, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real ledger: the teacher's bill and tokens, and its dated prices as the API."""
    monkeypatch.setenv("JUDGESMITH_CACHE", str(tmp_path / "cache"))
    server = fault_server(latency_ms=2, template=TEMPLATE)
    tree = yaml.safe_load(tiny.read_text())
    price = {"input": 1.0, "output": 5.0, "batch": 0.5, "as_of": "2026-11-01"}
    tree["models"] = {
        "big": {"protocol": "openai", "url": server.url, "model": "judge", "price": price}
    }
    tree["labels"]["teachers"] = {"primary": "big", "reply_tokens": 40}
    recipe, run = tmp_path / "recipe.yaml", tmp_path / "run"
    recipe.write_text(yaml.safe_dump(tree, sort_keys=False))
    made = command("run", recipe, "--run", run, "--until", "labels", "--budget-usd", 2)
    assert made.returncode == 0, made.stderr
    billed = server.counts()["billed"]

    said = {"as_of": "2026-11-01", "source": "an invoice"}
    sheet = {
        "judgments_per_month": 20_000, "months": 12, "calls_per_judgment": 2,
        "machines": {"gpu": {"per_hour": 2, **said}},
        "own": {"nightly": {"kind": "offline", "machine": "gpu", "calls_per_hour": 20_000,
                            "utilisation": 1}},
    }  # fmt: skip
    path, out = tmp_path / "cost.yaml", tmp_path / "cost.json"
    path.write_text(yaml.safe_dump(sheet))
    done = command("cost", run, path, "--out", out)
    assert done.returncode == 0, done.stderr
    found = json.loads(out.read_bytes())
    inputs = {row["name"]: row for row in found["inputs"]}
    calls, prompt, reply = (billed[n] for n in ("calls", "prompt_tokens", "completion_tokens"))
    paid = (prompt * 1.0 + reply * 5.0) / 1e6
    assert found["once_usd"]["middle"] == pytest.approx(paid)
    assert inputs["once.teacher.usd"]["origin"] == "the run, ledger.sqlite"
    assert inputs["tokens.prompt"]["origin"] == f"the run, ledger.sqlite: {calls} paid calls of big"
    options = {(one["name"], one["kind"]): one["judgment"]["middle"] for one in found["options"]}
    assert options["big", "API"] == pytest.approx(2 * paid / calls)
    assert options["big", "batch API"] == pytest.approx(paid / calls)
    assert inputs["apis.big.price.input"]["origin"] == "the run, recipe.yaml"
    assert "Not counted, as the file says nothing of it: labels by people, training" in done.stdout

    stated = {**sheet, "once": {"teacher": {"usd": 7}}, "tokens": {"prompt": 10, "reply": 10}}
    path.write_text(yaml.safe_dump(stated))
    cost(run, path, out=(out,))
    assert json.loads(out.read_bytes())["once_usd"]["middle"] == 7


def test_hours_of_a_run_wait_for_a_machine(
    tiny_run: Path, cost_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = yaml.safe_load(cost_file.read_text())
    out = tmp_path / "cost.json"
    del tree["calls_per_judgment"], tree["once"]["training"]
    cost_file.write_text(yaml.safe_dump(tree))
    cost(tiny_run, cost_file)
    said = capsys.readouterr().out
    assert "warning: the run has training" in said
    assert "add `once.training`" in said
    tree["once"]["training"] = {"machine": "a100"}
    cost_file.write_text(yaml.safe_dump(tree))
    cost(tiny_run, cost_file, out=(out,))
    inputs = {row["name"]: row for row in json.loads(out.read_bytes())["inputs"]}
    hours = json.loads((tiny_run / "sft/manifest.json").read_bytes())["wall_s"] / 3600
    assert float(inputs["once.training.hours"]["value"]) == pytest.approx(hours)
    assert inputs["once.training.hours"]["origin"] == "the run, sft/manifest.json"
    assert inputs["calls_per_judgment"]["value"] == "2"


def test_what_is_left_in_a_run_stands_in_its_report(
    tiny_run: Path, cost_file: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(tiny_run, copy)
    cost(copy, cost_file, out=(copy / "cost.json",))
    run_dir, recipe = open_run(copy)
    document = collect(run_dir, recipe)
    assert document.costs is not None
    for page in (render_markdown(document), html.unescape(render_html(document))):
        assert "own judge (always_on) never pays" in page.replace("\\", "")
    (copy / "cost.json").write_text('{"months": 3}')
    with pytest.raises(DataError, match=r"cost\.json: expected what `judgesmith cost"):
        collect(run_dir, recipe)


@pytest.mark.parametrize(
    ("targets", "options", "said"),
    [
        ((), {}, "expected a cost file, a run, or both"),
        (("absent.yaml",), {}, "expected a cost file, found none"),
        (("cost.yaml", "cost.yaml"), {}, "expected a cost file, a run, or both"),
        (("cost.yaml",), {"out": (Path("cost.txt"),)}, "ends in .json or .md"),
        (("cost.yaml",), {"what_if": ("moths=3",)}, "did you mean 'months'"),
        (("cost.yaml",), {"what_if": ("own.nightly.machine=b100",)}, "did you mean 'a100'"),
    ],
)
def test_mistakes(
    cost_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    targets: tuple[str, ...], options: dict[str, Any], said: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(cost_file.parent)
    with pytest.raises(JudgesmithError) as caught:
        cost(*targets, **options)
    assert said in str(caught.value)
    assert capsys.readouterr().out == ""


def test_a_rehearsal_has_measured_nothing(light_run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(light_run, copy)
    recipe = copy / "recipe.yaml"
    recipe.write_text(recipe.read_text(encoding="utf-8") + "rehearsed: true\n", encoding="utf-8")
    with pytest.raises(RunError, match="a rehearsal"):
        cost(copy)


def test_a_mistake_is_one_message_and_exit_code_2(command: Any, light_run: Path) -> None:
    done = command("cost", light_run, "--set", "months=3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "need a cost file" in done.stderr
