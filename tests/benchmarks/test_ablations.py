"""The pure parts of the ablations: seeds pooled, differences paired, the table written.

Nothing is trained here; `python -m benchmarks.ablations` runs the arms.
"""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from judgesmith.errors import DataError
from judgesmith.evaluation.judges import Read
from judgesmith.judging.reading import scores_of
from judgesmith.metrics import cohen_kappa
from judgesmith.records import Judgment, Status
from judgesmith.runs.layout import Header, RunDir

ROOT = Path(__file__).parents[2]
SEEDS = (7, 8)


@pytest.fixture
def ablations(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The modules of the folder of benchmarks."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.ablations import arms, compare, pooled, settings, table

    return SimpleNamespace(
        arms=arms, compare=compare, pooled=pooled, settings=settings, table=table
    )


def world(ablations: Any, per_seed: int = 8) -> tuple[list[Any], dict[Any, str]]:
    """Per seed `per_seed` items on half as many questions of the same names; A, B, TIE in turn."""
    places = [
        ablations.arms.Place(seed, f"{seed}/i{i}", f"q{i // 2}")
        for seed in SEEDS
        for i in range(per_seed)
    ]
    return places, {place: ("A", "B", "TIE")[i % 3] for i, place in enumerate(places)}


def steady(values: dict[Any, str]) -> dict[Any, Read]:
    return {place: Read(value, value, value) for place, value in values.items()}


def test_a_question_is_a_cluster_within_its_seed(ablations: Any) -> None:
    """8 items on 4 questions per seed: 8 clusters, though both seeds name the same questions."""
    places, _ = world(ablations)
    assert ablations.pooled.Pool(places, 200).questions == 8


def test_kappa_is_of_all_seeds_and_of_each(ablations: Any) -> None:
    """Seed 7 is right throughout, seed 8 always says A: kappa 1 and 0. An unparsed one is wrong."""
    places, labels = world(ablations)
    said = {p: labels[p] if p.seed == 7 else "A" for p in places}
    value = ablations.pooled.Pool(places, 200).kappa(steady(said), labels)
    expected = cohen_kappa([said[p] for p in places], [labels[p] for p in places]).value
    assert value.pooled.value == expected
    assert value.by_seed == {7: 1.0, 8: 0.0}
    assert (value.counted, value.asked, value.pooled.clusters) == (16, 16, 8)
    assert value.pooled.low < expected < value.pooled.high
    lost = {**steady(said), places[0]: Read("A", None, None)}
    fewer = ablations.pooled.Pool(places, 200).kappa(lost, labels)
    assert (fewer.counted, fewer.asked) == (15, 16)
    assert fewer.by_seed[7] < 1.0


def test_a_difference_is_that_of_the_two_kappas(ablations: Any) -> None:
    """One right throughout, one wrong on the 8 items of seed 8: 8 lost, p = 2 / 2**8."""
    places, labels = world(ablations)
    wrong = {"A": "B", "B": "TIE", "TIE": "A"}
    right = steady(labels)
    worse = steady({p: labels[p] if p.seed == 7 else wrong[labels[p]] for p in places})
    pool = ablations.pooled.Pool(places, 200)
    gap = pool.kappa_gap(worse, right, labels, to="right")
    kappas = [pool.kappa(reads, labels).pooled.value for reads in (worse, right)]
    assert gap.pooled.value == pytest.approx(kappas[0] - kappas[1])
    assert gap.pooled.high < 0
    assert gap.by_seed[7] == 0.0
    assert gap.by_seed[8] < -1
    assert gap.p == pytest.approx(2 / 2**8)


def test_flips_count_items_parsed_in_both_orders(ablations: Any) -> None:
    """Of 16 items one is unparsed in one order and three others flip: 3 of 15."""
    places, labels = world(ablations)
    reads = steady(labels)
    for place in places[1:4]:
        reads[place] = Read("A", "B", "TIE")
    reads[places[0]] = Read("A", None, None)
    value = ablations.pooled.Pool(places, 200).flips(reads)
    assert value.pooled.value == pytest.approx(3 / 15)
    assert (value.counted, value.asked) == (15, 16)
    assert value.by_seed == {7: pytest.approx(3 / 7), 8: 0.0}


def test_a_flip_difference_leaves_out_what_either_did_not_parse(ablations: Any) -> None:
    """The base flips on items 0 and 1, the other on 1 only; item 1 is lost to it: 0 minus 1/15."""
    places, labels = world(ablations)
    base, other = steady(labels), steady(labels)
    base[places[0]] = base[places[1]] = Read("A", "B", "TIE")
    other[places[1]] = Read(None, "B", None)
    gap = ablations.pooled.Pool(places, 200).flip_gap(other, base, to="base")
    assert gap.pooled.value == pytest.approx(-1 / 15)
    assert gap.by_seed == {7: pytest.approx(-1 / 7), 8: 0.0}
    assert gap.p is None


def outcome(ablations: Any, arm: str, seed: int, places: list[Any], labels: Any) -> Any:
    own = [place for place in places if place.seed == seed]
    arms = ablations.arms
    reads = steady({place: labels[place] for place in own})
    return arms.Outcome(
        arm=arm, seed=seed, places={"in domain": own, "out of domain": []},
        labels={place: labels[place] for place in own},
        reads={"student": reads, "after DPO": reads, "answer-choice rule": reads},
        cost=arms.Cost(items=90, asked=100, rows=160, steps=20, batch=16, minutes=1.25),
        reports={},
    )  # fmt: skip


def table_rows(text: str) -> list[list[str]]:
    lines = text.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("name", "rows"),
    # Two arms in one domain. swap: two of flips, two of kappa. dpo: before and after. policy: per
    # key two students and the rule. size: two.
    [("swap", 4), ("dpo", 2), ("policy", 6), ("size", 2)],
)
def test_every_ablation_fills_its_table(ablations: Any, name: str, rows: int) -> None:
    places, labels = world(ablations)
    arms = ("one",) if name == "dpo" else ("one", "two")
    outcomes = [outcome(ablations, arm, seed, places, labels) for arm in arms for seed in SEEDS]
    made = table_rows(ablations.table.markdown(ablations.compare.COMPARE[name](outcomes)))
    assert len(made) == rows
    for row in made:
        assert row[3] == "16 of 16 (8)"
        assert row[5].count(",") == 1
    assert sum(bool(row[6]) for row in made) == rows - (2 if name in ("swap", "policy") else 1)


def test_soft_labels_are_compared_with_the_hard_ones_of_the_same_teacher(ablations: Any) -> None:
    """Squared errors .1 and .3 on half the items each: mean .2; the soft one is .1 off: -.1."""
    places, labels = world(ablations)
    made = []
    for arm in ("hard-95", "soft-95", "hard-80", "soft-80"):
        for seed in SEEDS:
            one = outcome(ablations, arm, seed, places, labels)
            errors = {p: 0.1 if arm == "soft-95" else (0.1, 0.3)[n % 2]
                      for n, p in enumerate(one.places["in domain"])}  # fmt: skip
            made.append(dataclasses.replace(one, errors={"student": errors}))
    rows = ablations.compare.compare_soft(made)
    found = {(row.measure, row.arm): row for row in rows}
    assert [row.gap and row.gap.to for row in rows] == [None, "hard-95", None, "hard-80"] * 2
    hard, soft = found["squared error", "hard-95"], found["squared error", "soft-95"]
    assert hard.value.pooled.value == pytest.approx(0.2)
    assert hard.value.by_seed == {7: pytest.approx(0.2), 8: pytest.approx(0.2)}
    assert soft.gap.pooled.value == pytest.approx(-0.1)
    assert found["squared error", "soft-80"].gap.pooled.value == 0
    assert len(table_rows(ablations.table.markdown(rows))) == 8


def test_squared_errors_are_of_the_expected_scores(ablations: Any, tmp_path: Path) -> None:
    """Expected scores .9 and .4, of which the first should be 1: (.01 + .16) / 2 = .085."""
    key = [scored((place,), (value,), "answer key") for place, value in ((0, 1.0), (1, 0.0))]
    run_dir = RunDir(tmp_path, Header(name="t", task="bias", seed=7))
    run_dir.write("labels/judgments.jsonl", key)
    chances = {"1": {"0": 0.1, "1": 0.9}, "2": {"0": 0.6, "1": 0.4}}
    said = scored((0, 1), (1.0, 0.0), "student", chances)
    place = ablations.arms.Place(7, "i", "q")
    found = ablations.arms.squared_errors([said], run_dir, {"i": place})
    assert found == {place: pytest.approx(0.085)}
    unread = said.model_copy(update={"verdict": None})
    assert ablations.arms.squared_errors([unread], run_dir, {"i": place}) == {}


def scored(
    order: tuple[int, ...], values: tuple[float, ...], source: str, chances: Any = None
) -> Judgment:
    return Judgment.make(
        source=source, licence="n", item_id="i", judge=source, dialect="d", order=order, sample=0,
        reply="", rationale="", verdict=scores_of(list(values)), distribution=chances,
        status=Status.PARSED, reference=None,
    )  # fmt: skip


def test_each_policy_has_its_own_key(ablations: Any) -> None:
    """Each student says what its own key says: kappa 1 with it, less with the other's."""
    places, labels = world(ablations)
    other = {place: "TIE" if label == "B" else label for place, label in labels.items()}
    outcomes = [
        outcome(ablations, arm, seed, places, key)
        for arm, key in (("worse", labels), ("ties", other))
        for seed in SEEDS
    ]
    rows = ablations.compare.compare_policies(outcomes)
    found = {(row.measure, row.arm): row.value.pooled.value for row in rows}
    assert found["kappa, key worse", "trained on worse"] == 1.0
    assert found["kappa, key ties", "trained on ties"] == 1.0
    assert found["kappa, key worse", "trained on ties"] < 1.0
    assert found["kappa, key ties", "trained on worse"] < 1.0


def test_costs_say_when_a_cap_was_no_cap(ablations: Any) -> None:
    """20 steps of 16 over 160 rows are two passes."""
    places, labels = world(ablations)
    made = table_rows(ablations.table.costs([outcome(ablations, "one", 7, places, labels)]))
    assert made == [["one", "7", "90 of 100 asked", "160", "20 x 16", "2.0", "1.2"]]


def test_arms_on_different_items_are_refused(ablations: Any) -> None:
    places, labels = world(ablations)
    one = outcome(ablations, "one", 7, places, labels)
    fewer = outcome(ablations, "two", 7, places[1:], labels)
    ablations.arms.same_items([one, outcome(ablations, "two", 8, places, labels)])
    with pytest.raises(DataError, match="not paired"):
        ablations.arms.same_items([one, fewer])


@pytest.mark.parametrize("name", ["swap", "dpo", "policy", "size", "soft"])
def test_every_arm_is_a_recipe(ablations: Any, name: str) -> None:
    """Overrides that the stages accept, in one dialect throughout, and what `--set` says wins."""
    from judgesmith.pipeline import find_recipe, read_recipe

    ablation = ablations.settings.ABLATIONS[name]
    for arm in ablation.arms:
        given = ablations.arms.overrides(ablation, arm, 8, ["sft.steps=3"])
        recipe = read_recipe(find_recipe(ablations.settings.RECIPE), given)
        sections: dict[str, Any] = recipe.sections
        assert (recipe.header.seed, sections["sft"].steps) == (8, 3)
        dialects = {name for section in sections.values() for name in section.dialects}
        assert len(dialects) == 1
        if name == "swap":
            assert dialects == {"bias-pair-compact"}
            assert sections["rows"].orders == arm
