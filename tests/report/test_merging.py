"""What the page says of a merge: its inputs, how they lie to each other, what was tried."""

from typing import Any

import pytest

from judgesmith.report.blocks import Plots, Section, Table, Text
from judgesmith.report.document import Document
from judgesmith.report.html import render_html
from judgesmith.report.merging import Merging, Tried, spreads, unusual
from judgesmith.report.scatter_plots import Spot, scatter_plot
from judgesmith.report.sections import build_sections

SUMMARY: dict[str, Any] = {
    "result": "adapter", "base": "google/gemma-3-4b-it", "rank": None, "error": None,
    "inputs": [
        {"name": "absolute", "sha256": "a" * 64, "weight": 0.4, "ranks": [64]},
        {"name": "pairwise", "sha256": "b" * 64, "weight": 0.6, "ranks": [64, 128]},
    ],
    "method": {"kind": "nuslerp", "weights": [0.4, 0.6], "granularity": "tensor"},
    "tensors": 24, "warnings": [],
}  # fmt: skip
CONFIG: dict[str, Any] = {"judges": ["absolute", "pairwise"], "search": {"choose": True}}


def tensors(count: int = 24) -> list[dict[str, Any]]:
    """Cosines of .20 to .24 and norms alike; the last but one lies the other way."""
    rows = [
        {
            "name": f"layers.{n}.q_proj.weight", "shape": [64, 32],
            "cosines": [0.2 + 0.01 * (n % 5)], "norm_ratio": 1.5 + 0.02 * (n % 7),
            "sign_conflict": 0.41, "coefficients": [0.6, 0.7], "kept": None, "error": None,
        }
        for n in range(count)
    ]  # fmt: skip
    rows[-2]["cosines"] = [-0.6]
    return rows


def tried(name: str, graded: float | None, pairs: float, **changes: Any) -> Tried:
    def measured(agreement: float | None, consistency: float | None) -> dict[str, Any]:
        return {
            "agreement": agreement, "right": 0.61, "parsed": 0.98, "consistency": consistency,
            "pearson": None if consistency else 0.8, "items": 200,
        }  # fmt: skip

    found = {"graded": measured(graded, None), "pairs": measured(pairs, 0.85)}
    fields = {"worst_kept": 0.9, "undominated": False, "chosen": False} | changes
    return Tried.model_validate({"name": name, "measures": found, **fields})


SEARCH = (
    tried("nuslerp 0.5 : 0.5", 0.60, 0.72, worst_kept=0.91, undominated=True),
    tried("nuslerp 0.4 : 0.6", 0.61, 0.74, worst_kept=0.94, undominated=True, chosen=True),
    tried("nuslerp 0.3 : 0.7", 0.52, 0.73, worst_kept=0.8),
    tried("ties 1 : 1, density 0.5", 0.602, 0.722, worst_kept=0.915),
    tried("routed", 0.65, 0.78, worst_kept=1.0),
    tried("absolute", 0.65, 0.02, worst_kept=0.03),
    tried("pairwise", 0.05, 0.78, worst_kept=0.08),
    tried("joint", 0.63, 0.75, worst_kept=0.96),
)


def merging(**changes: Any) -> Merging:
    names = ["absolute", "pairwise"]
    fields: dict[str, Any] = {
        "config": CONFIG, "summary": SUMMARY, "spreads": spreads(tensors(), names),
        "unusual": unusual(tensors(), names), "search": SEARCH,
    }  # fmt: skip
    return Merging(**fields | changes)


def section(document: Document, found: Merging) -> Section:
    whole = document.model_copy(update={"merging": found})
    return next(one for one in build_sections(whole) if one.anchor == "merge")


def tables(found: Section) -> dict[str, list[list[str]]]:
    return {
        block.title: [[cell.text for cell in row] for row in block.rows]
        for block in found.blocks
        if isinstance(block, Table)
    }


def texts(found: Section, tone: str = "") -> list[str]:
    return [b.text for b in found.blocks if isinstance(b, Text) and b.tone == tone]


def test_a_merge_says_what_was_done_and_to_what(full_document: Document) -> None:
    found = section(full_document, merging())
    assert texts(found)[0].startswith("NuSLERP: ")
    assert "absolute 0.4, pairwise 0.6. Its settings: granularity tensor." in texts(found)[0]
    assert "exact" in texts(found, "note")[0]
    assert tables(found)["What was merged"] == [
        ["absolute", "0.4", "64", "a" * 16], ["pairwise", "0.6", "64, 128", "b" * 16],
    ]  # fmt: skip
    spread = tables(found)["How the inputs lie to each other, over 24 tensors"]
    assert spread[0] == ["cosine", ".22", "-.60", ".24", "24"]
    assert ["entries whose signs differ", "41.0%", "41.0%", "41.0%", "24"] in spread
    assert ["effective coefficient of pairwise", ".70", ".70", ".70", "24"] in spread
    assert tables(found)["Tensors that stand out"] == [
        ["layers.22.q_proj.weight", "cosine", "-.60", ".22"]
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rank": 64, "error": 0.0321}, "compressed to rank 64: that lost 3.21% of the norm"),
        ({"result": "model"}, "The result is a whole model over google/gemma-3-4b-it."),
    ],
)
def test_what_the_result_is(full_document: Document, changes: dict[str, Any], words: str) -> None:
    found = section(full_document, merging(summary=SUMMARY | changes))
    assert words in texts(found, "note")[0]


@pytest.mark.parametrize(
    "kind", ["nuslerp", "linear", "task_arithmetic", "ties", "dare_linear", "dare_ties"]
)
def test_every_method_has_words(full_document: Document, kind: str) -> None:
    method = {"kind": kind, "weights": [1.0, 1.0], "density": [0.5, 0.25]}
    said = texts(section(full_document, merging(summary=SUMMARY | {"method": method})))[0]
    assert not said.startswith(f"{kind}.")
    assert "density 0.5 / 0.25" in said


def test_warnings_of_settings_that_do_nothing_stand_first(full_document: Document) -> None:
    warning = {
        "kind": "density_one",
        "message": "density 1: ties trims nothing.",
        "remedy": "Give.",
    }
    found = section(full_document, merging(summary=SUMMARY | {"warnings": [warning]}))
    assert texts(found, "warning") == ["density 1: ties trims nothing. Give."]


def test_the_search_says_what_was_chosen_where_and_beside_what(full_document: Document) -> None:
    found = section(full_document, merging())
    rows = {row[0]: row for row in tables(found)["Tried on dev"]}
    assert rows["nuslerp 0.4 : 0.6"][1:] == [".61", ".74", "94%", "chosen"]
    assert rows["nuslerp 0.5 : 0.5"][4] == "undominated"
    assert rows["nuslerp 0.3 : 0.7"][4] == rows["joint"][4] == ""
    table = next(b for b in found.blocks if isinstance(b, Table) and b.title == "Tried on dev")
    assert "dev labels, not the test labels" in table.heading
    asides = {row[0].text: row[0].aside for row in table.rows}
    assert asides["nuslerp 0.5 : 0.5"] == "as the recipe says"
    assert (asides["absolute"], asides["joint"]) == ("specialist", "not merged, beside")
    assert table.rows[0][1].aside == "right 61%, Pearson .80, read 98%"
    assert table.rows[0][2].aside == "right 61%, read 98%, consistent 85%"
    assert table.columns[1].title == "graded (n = 200)"
    assert texts(found)[1] == (
        "4 merges tried on dev items: nuslerp 0.4 : 0.6 was chosen in place of the recipe's own, "
        "nuslerp 0.5 : 0.5. It keeps at least 94% of every specialist's agreement there."
    )


def test_a_search_that_changes_nothing_says_so(full_document: Document) -> None:
    first = SEARCH[0].model_copy(update={"chosen": True})
    rest = tuple(one.model_copy(update={"chosen": False}) for one in SEARCH[1:])
    kept = section(full_document, merging(search=(first, *rest)))
    assert "none keeps more than the recipe's own" in texts(kept)[1]
    unknown = first.model_copy(update={"worst_kept": None})
    lost = section(full_document, merging(search=(unknown, *rest)))
    assert "could not be measured" in texts(lost)[1]
    shown = CONFIG | {"search": {"choose": False}}
    only = section(full_document, merging(search=(first, *rest), config=shown))
    assert "to look at only: the recipe's own stays" in texts(only)[1]


def test_the_scatter_is_there_for_two_formats_that_tell_judges_apart(
    full_document: Document,
) -> None:
    def drawn(*search: Tried) -> list[Plots]:
        blocks = section(full_document, merging(search=search)).blocks
        return [block for block in blocks if isinstance(block, Plots)]

    assert len(drawn(*SEARCH)) == 1
    alike = [tried(f"nuslerp {n}", 0.0, 0.0, chosen=n == 0) for n in range(3)]
    assert drawn(*alike) == []
    unknown = [tried("nuslerp 1", None, 0.4, chosen=True), tried("nuslerp 2", None, 0.5)]
    assert drawn(*unknown) == []


def test_names_in_the_scatter_never_cover_each_other() -> None:
    """Forty judges in one corner: those whose names find no room are told by their marks."""
    spots = [
        Spot(f"a merge of weights {n}", "merge", 0.5 + n / 1e4, 0.5, n == 0) for n in range(40)
    ]
    svg = scatter_plot("t", spots, axes=("x", "y"), stamp="rehearsed")
    assert svg.count("<title>a merge of weights") == 40
    lines = [part.partition("<")[0] for part in svg.split('font-size="11"')[1:]]
    named = [line for line in lines if "a merge of weights" in line]
    assert 1 <= len(named) <= 14
    assert ">REHEARSED</text>" in svg


def test_a_name_stands_beside_its_own_mark_and_no_other() -> None:
    """Two marks almost at one place: one name goes to the left, the other to the right."""
    spots = [Spot("first", "merge", 0.6, 0.5), Spot("second", "merge", 0.602, 0.5),
             Spot("far", "beside", 0.7, 0.9), Spot("low", "merge", 0.5, 0.1)]  # fmt: skip
    svg = scatter_plot("t", spots, axes=("x", "y"))
    sides = {
        name: 'text-anchor="end"' in line
        for line in svg.split("<text")[1:]
        for name in ("first", "second")
        if f">{name}<" in line
    }
    assert sides == {"first": True, "second": False}


def test_nothing_stands_out_among_few_tensors_or_where_half_are_alike() -> None:
    names = ["a", "b"]
    assert unusual(tensors(7), names) == ()
    alike = [{"name": f"t{n}", "shape": [2], "norm_ratio": 1.0} for n in range(20)]
    alike[3]["norm_ratio"] = 9.0
    assert unusual(alike, names) == ()


def test_three_inputs_have_a_cosine_for_each_pair() -> None:
    rows = [{"cosines": [0.1, None, 0.3], "coefficients": [1.0, 0.5, None]}]
    found = {one.measure: one.median for one in spreads(rows, ["a", "b", "c"])}
    assert found == {
        "cosine of a and b": 0.1, "cosine of b and c": 0.3,
        "effective coefficient of a": 1.0, "effective coefficient of b": 0.5,
    }  # fmt: skip


def test_the_page_holds_it_and_names_are_escaped(full_document: Document) -> None:
    hostile = "<script>alert(1)</script>"
    rows = (SEARCH[0].model_copy(update={"name": hostile, "chosen": True}), *SEARCH[1:])
    page = render_html(full_document.model_copy(update={"merging": merging(search=rows)}))
    assert "<h2>Merge</h2>" in page
    assert hostile not in page
