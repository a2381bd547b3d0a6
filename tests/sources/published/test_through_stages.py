"""Published sets through the stages, from a file to rows to train on."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from published_rows import feedback, judgelm, preference, write_lines

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.records import (
    AnnotatorKind,
    Choice,
    Item,
    Judgment,
    Kind,
    Label,
    Response,
    Scores,
    SftRow,
    index_by_id,
    reorder,
)
from judgesmith.runs.layout import Header, RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.stages import items, labels, questions, responses, rows, split

ALL_TRAIN = {"level": "question", "test_share": 0, "dev_share": 0}


def no_models(name: str) -> Any:
    raise AssertionError(f"no model is asked here, but {name!r} was opened")


class Run:
    """A run of the general task over one published set, up to its rows."""

    def __init__(self, folder: Path, source: dict[str, Any], **sections: dict[str, Any]) -> None:
        self.dir = RunDir(folder, Header(name="t", task="general", seed=7))
        self.reports: dict[str, StageReport] = {}
        plan = {
            questions: {"sources": [source]},
            responses: {"imports": [source]},
            items: {"imports": [source]},
            split: ALL_TRAIN,
            labels: {"imports": [source]},
            rows: {"labels": "model"},
        }
        for stage, config in plan.items():
            name = stage.__name__.rpartition(".")[2]
            given = stage.Config.model_validate(config | sections.get(name, {}))
            self.reports[name] = stage.run(given, self.dir, no_models)

    @property
    def rows(self) -> list[SftRow]:
        return self.dir.read("rows/sft.jsonl", SftRow)

    def again(self, **config: Any) -> list[SftRow]:
        """The rows by other settings of the last stage."""
        given = rows.Config.model_validate({"labels": "model"} | config)
        self.reports["rows"] = rows.run(given, self.dir, no_models)
        return self.rows


def by_dialect(found: list[SftRow]) -> dict[str, int]:
    named = {LIBRARY[name].hash: name for name in LIBRARY}
    return dict(Counter(named[row.dialect] for row in found))


@pytest.fixture
def judged(tmp_path: Path) -> Run:
    made = [judgelm(n) for n in range(1, 61)]
    made[0]["text"] = "2 9\nThe first answer is vague."  # cannot be swapped
    path = write_lines(tmp_path / "set" / "judgelm_train_100k.jsonl", made)
    source = {"kind": "judgelm", "path": str(path)}
    return Run(
        tmp_path / "run", source, labels={"dialect": "judgelm"},
        rows={"dialects": ["judgelm", "judgelm-reference"]},
    )  # fmt: skip


def test_each_judgment_is_learnt_in_the_condition_it_was_made_in(judged: Run) -> None:
    """No prompt without a reference carries a label that was given with one, and vice versa."""
    found = judged.rows
    assert by_dialect(found) == {"judgelm": 60, "judgelm-reference": 60}
    for row in found:
        bare = row.dialect == LIBRARY["judgelm"].hash
        scores = parse_reply(LIBRARY["judgelm"], row.completion).verdict
        assert scores == Scores(
            kind="scores", values=(2.0, 9.0) if bare else (1.0, 10.0), criteria=None
        )
        assert ("[Reference Answer]" in row.prompt[-1].content) is not bare
        assert row.licence == "CC-BY-NC-4.0; OpenAI terms for outputs of GPT-4"
    (label, *_) = judged.dir.read("labels/labels.jsonl", Label)
    assert (label.policy, label.annotator_kind) == ("as given", AnnotatorKind.MODEL)
    assert label.verdict == Scores(kind="scores", values=(2.0, 9.0), criteria=None)
    assert len(label.judgment_ids) == 2


def test_one_dialect_takes_its_own_condition_only(judged: Run) -> None:
    found = judged.again(dialect="judgelm-reference")
    assert by_dialect(found) == {"judgelm-reference": 60}
    assert judged.reports["rows"].tables["judgments made in another condition"] == 60


def says_the_same(run: Run, row: SftRow) -> bool:
    """Whether the text called right has the high score and its place in the reason."""
    item = index_by_id(run.dir.read("split/items.jsonl", Item))[row.item_id]
    texts = {r.id: r.text for r in run.dir.read("responses/responses.jsonl", Response)}
    shown = [texts[item.response_ids[p]] for p in row.order]
    right = shown.index(next(text for text in shown if text != "It is many."))
    read = parse_reply(LIBRARY["judgelm"], row.completion)
    assert isinstance(read.verdict, Scores)
    return read.verdict.values[right] >= 9 and (
        f"Assistant {right + 1} gives the sum" in (read.rationale or "")
        or f"Assistant {right + 1} agrees with" in (read.rationale or "")
        or "first answer" in (read.rationale or "")
    )


def test_both_orders_and_what_cannot_be_turned(judged: Run) -> None:
    found = judged.again(
        dialects=["judgelm", "judgelm-reference"], augment={"swap": "both"}
    )  # fmt: skip
    assert len(found) == 4 * 60 - 1
    kept = "judgments that cannot be swapped, shown as given"
    assert judged.reports["rows"].tables[kept] == 1
    assert Counter(row.order for row in found) == {(0, 1): 120, (1, 0): 119}
    assert all(says_the_same(judged, row) for row in found)


def test_a_coin_for_each_item(judged: Run) -> None:
    config = {"dialect": "judgelm", "augment": {"swap": "coin_flip"}}
    found = judged.again(**config)
    assert len(found) == 60
    assert 15 < sum(row.order == (1, 0) for row in found) < 45
    assert all(says_the_same(judged, row) for row in found)
    assert judged.again(**config) == found


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.8, 1.0])
def test_the_rate_is_that_of_items_without_their_reference(judged: Run, rate: float) -> None:
    """JudgeLM's own setting of that name included the reference at the rate instead."""
    found = judged.again(
        dialects=["judgelm", "judgelm-reference"], augment={"reference_drop": rate}
    )  # fmt: skip
    assert len(found) == len({row.item_id for row in found}) == 60
    without = by_dialect(found).get("judgelm", 0) / 60
    assert without == (rate if rate in (0, 1) else pytest.approx(rate, abs=0.15))


def test_a_reference_that_cannot_be_dropped_is_refused(judged: Run) -> None:
    with pytest.raises(RecipeError, match=r"reference_drop: expected two dialects"):
        judged.again(dialect="judgelm", augment={"reference_drop": 0.5})


@pytest.fixture
def collected(tmp_path: Path) -> Run:
    """Twelve instructions with a response for each of the five scores, and no feedback for one."""
    made = [
        feedback(
            score, orig_instruction=f"Explain {n}.", orig_response=f"{n} at {score}",
            orig_feedback=f"It is right in {score} ways.",
        )
        for n in range(12)
        for score in range(1, 6)
    ]  # fmt: skip
    made[0]["orig_feedback"] = "It holds [RESULT] 5, as the text says. [RESULT] 2"
    made[1]["orig_score"] = 9
    made[2]["orig_feedback"] = "Unlike the reference answer, it is short."
    path = write_lines(tmp_path / "set" / "rows.jsonl", made)
    source = {"kind": "feedback_collection", "path": str(path)}
    quotas = {"4": 6, "2": 20, "1": 10, "0": 5}
    return Run(
        tmp_path / "run", source,
        items={"from_scores": {"imports": [source], "quotas": quotas, "easy_first": True}},
        labels={
            "dialect": "prometheus-absolute-reference", "pairs_by_scores": "prometheus-relative",
        },
        rows={"dialects": ["prometheus-absolute-reference", "prometheus-relative"]},
    )  # fmt: skip


def test_scores_become_rows_and_pairs_become_rows_of_their_own_dialect(collected: Run) -> None:
    lost = collected.reports["labels"].tables["imported and left out"]
    assert lost["imported verdicts off the scale of their dialect"] == 1
    assert lost["imported reasons that no reply of their dialect can hold"] == 1
    assert collected.reports["items"].tables["pairs from scores"][0] == {
        "bucket": "scores apart by 4", "pool": 16, "quota": 6, "filled": 6,
    }  # fmt: skip
    # 1 beside 5 for each of twelve instructions, and the 9 beside four others.
    found = collected.rows
    kinds = index_by_id(collected.dir.read("split/items.jsonl", Item))
    counts = by_dialect(found)
    assert counts["prometheus-absolute-reference"] == 60 - 2
    assert counts["prometheus-relative"] > 2 * 20
    for row in found:
        single = row.dialect == LIBRARY["prometheus-absolute-reference"].hash
        assert (kinds[row.item_id].kind is Kind.SINGLE) is single


def test_an_item_without_a_verdict_in_the_dialect_has_no_row_of_it(collected: Run) -> None:
    """Ties, which the relative dialect cannot say, and single items: they are not written anew."""
    found = collected.again(dialect="prometheus-relative")
    assert set(by_dialect(found)) == {"prometheus-relative"}
    made = index_by_id(collected.dir.read("split/items.jsonl", Item))
    assert {made[row.item_id].kind for row in found} == {Kind.PAIR}
    assert "scores alike" not in {made[row.item_id].bucket for row in found}


def test_pairs_from_scores_name_the_higher_one_in_both_orders(collected: Run) -> None:
    text = {r.id: r.text for r in collected.dir.read("responses/responses.jsonl", Response)}
    made = index_by_id(collected.dir.read("split/items.jsonl", Item))
    seen: Counter[str] = Counter()
    for judgment in collected.dir.read("labels/judgments.jsonl", Judgment):
        item = made[judgment.item_id]
        if item.kind is Kind.SINGLE:
            continue
        scores = [int(text[item.response_ids[p]].rpartition(" ")[2]) for p in judgment.order]
        assert isinstance(judgment.verdict, Choice)
        assert judgment.verdict.value == ("A" if scores[0] > scores[1] else "B")
        assert f"Response A: It is right in {scores[0]} ways." in (judgment.rationale or "")
        seen[judgment.verdict.value] += 1
        assert "by scores given alone" in judgment.judge
    assert seen["A"] == seen["B"] > 0
    higher_first = Counter(
        int(text[one.response_ids[0]].rpartition(" ")[2])
        > int(text[one.response_ids[1]].rpartition(" ")[2])
        for one in made.values()
        if one.bucket == "scores apart by 2"
    )
    assert higher_first == {True: 10, False: 10}


def test_both_orders_of_the_preference_collection(tmp_path: Path) -> None:
    """The two rows of a pair are one item with a judgment of each order, and so two rows."""
    made = [
        preference(flipped, orig_instruction=f"Explain {n}.")
        for n in range(10)
        for flipped in (False, True)
    ]
    for row in made[:2]:
        row["orig_feedback"] = "It is closer to the reference answer."
    path = write_lines(tmp_path / "set" / "rows.jsonl", made)
    source = {"kind": "preference_collection", "path": str(path)}
    name = "prometheus-relative-reference"
    run = Run(tmp_path / "run", source, labels={"dialect": name}, rows={"dialect": name})
    assert run.reports["items"].dropped == {"the same pair imported twice": 10}
    assert Counter(row.order for row in run.rows) == {(0, 1): 10, (1, 0): 10}
    labelled = {x.item_id: x.verdict for x in run.dir.read("labels/labels.jsonl", Label)}
    for row in run.rows:
        verdict = parse_reply(LIBRARY[name], row.completion).verdict
        assert verdict is not None
        assert reorder(verdict, row.order) == labelled[row.item_id]
    both = run.again(dialect=name, augment={"swap": "both"})
    assert {row.id for row in both} == {row.id for row in run.rows}
    # In a dialect without the reference the same judgments are written anew, but for those that
    # speak of the reference.
    bare = run.again(dialect="prometheus-relative")
    assert by_dialect(bare) == {"prometheus-relative": 18}
    lost = "judgments that speak of a reference that is dropped"
    assert run.reports["rows"].tables[lost] == 2


def test_rows_of_a_set_in_another_order_give_the_same_run(tmp_path: Path) -> None:
    made = [
        preference(flipped, orig_instruction=f"Explain {n}.")
        for n in range(10)
        for flipped in (False, True)
    ]
    name = "prometheus-relative-reference"
    found = []
    for folder, given in (("forth", made), ("back", made[::-1])):
        path = write_lines(tmp_path / folder / "rows.jsonl", given)
        source = {"kind": "preference_collection", "path": str(path)}
        run = Run(path.parent / "run", source, labels={"dialect": name}, rows={"dialect": name})
        labelled = run.dir.read("labels/labels.jsonl", Label)
        found.append((
            index_by_id(run.dir.read("split/items.jsonl", Item)),
            {x.item_id: x.verdict for x in labelled},
            {row.id: (row.prompt, row.completion) for row in run.rows},
        ))  # fmt: skip
    assert found[0] == found[1]


def test_a_rehearsal_calls_nothing_a_models(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "judgelm_train_100k.jsonl", [judgelm(n) for n in range(4)])
    source = {"kind": "judgelm", "path": str(path)}
    run = Run(tmp_path / "run", source, labels={"dialect": "judgelm"}, rows={"dialect": "judgelm"})
    header = run.dir.header.model_copy(update={"rehearsed": True})
    rehearsed = RunDir(run.dir.path, header)
    config = labels.Config.model_validate({"dialect": "judgelm", "imports": [source]})
    labels.run(config, rehearsed, no_models)
    found = rehearsed.read("labels/labels.jsonl", Label)
    assert {x.annotator_kind for x in found} == {AnnotatorKind.SIMULATED}


def test_preferences_without_a_reason_label_and_teach_nothing(tmp_path: Path) -> None:
    made = [{"prompt": f"Why {n}?", "chosen": "So.", "rejected": "No."} for n in range(6)]
    path = write_lines(tmp_path / "rows.jsonl", made)
    about = {"annotator": "gpt-4", "annotator_kind": "model", "licence": "MIT"}
    source = {"kind": "preferences", "path": str(path), "about": about}
    with pytest.raises(DataError, match=r"no label with a reason: 6\. rows\.labels is 'model'"):
        Run(
            tmp_path / "run", source, labels={"dialect": "prometheus-relative"},
            rows={"dialect": "prometheus-relative"},
        )  # fmt: skip
    found = RunDir(tmp_path / "run", Header(name="t", task="general", seed=7)).read(
        "labels/labels.jsonl", Label
    )
    assert {x.annotator for x in found} == {"gpt-4"}
    assert len(found) == 6


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({}, "expected `dialect`, or `dialects`"),
        ({"dialect": "a", "dialects": ["b"]}, "expected `dialect`, or `dialects`"),
        ({"dialects": ["a", "a"]}, "names one twice"),
        ({"dialect": "a", "augment": {"reference_drop": 1.5}}, "less than or equal to 1"),
        ({"dialect": "a", "augment": {"swap": "maybe"}}, "'none', 'coin_flip' or 'both'"),
    ],
)
def test_settings_that_say_nothing(config: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        rows.Config.model_validate(config)


def test_settings_that_are_not_given_are_not_written() -> None:
    """So that no finished run is stale."""
    written = rows.Config(dialect="a").model_dump(mode="json")
    assert set(written) == {"dialect", "labels", "orders", "even", "per_question"}
    several = rows.Config.model_validate({"dialects": ["a", "b"]})
    assert several.dialects == ("a", "b")
    assert several.model_dump(mode="json")["several"] == ["a", "b"]
