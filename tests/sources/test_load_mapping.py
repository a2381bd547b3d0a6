"""Mappings: every error at once with its line, and everything that cannot be meant is refused."""

from pathlib import Path

import pytest

from judgesmith.errors import RecipeError
from judgesmith.sources.benchmarks import OWN, load_shipped, shipped
from judgesmith.sources.load_mapping import load_mapping
from judgesmith.sources.mapping import Mapping

TOP = "name: t\ntitle: t\npublished: t\nlicence: t\nkind: pair\nnames: better\n"
SINGLE = "name: t\ntitle: t\npublished: t\nlicence: t\nkind: single\n"
FILE = 'files:\n  - path: t.jsonl\n    item: "{id}"\n'
VOTES = FILE + "    votes:\n      - by: j\n"


def load(folder: Path, text: str) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def errors(folder: Path, text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load(folder, text)
    title, *lines = str(caught.value).splitlines()
    assert title == f"The mapping has {len(lines)} error(s):"
    return [line.strip().removeprefix(f"{folder}/mapping.yaml:") for line in lines]


def test_all_errors_of_form_come_at_once_with_their_lines(tmp_path: Path) -> None:
    text = TOP + "lables: key\n" + VOTES + '        verdit: "{w}"\n        role: jugde\n'
    found = errors(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["7", "13", "14"]
    assert "unknown key 'lables'; did you mean 'labels'?" in found[0]
    assert "unknown key 'files.0.votes.0.verdit'; did you mean 'verdict'?" in found[1]
    assert "Input should be 'judge', 'person', 'key' or 'simulated', found 'jugde'" in found[2]


def test_all_errors_of_meaning_come_at_once_with_their_lines(tmp_path: Path) -> None:
    text = TOP + VOTES + '        verdict: "{w"\n        read: {"1": A, "2": C, x: parsed}\n'
    text += '        letters: shown\n        order: "{$judge}"\n'
    found = errors(tmp_path, text)
    assert [line.split(":")[0] for line in found] == ["12", "13", "13", "15", "15"]
    joined = "\n".join(found)
    assert "12: '{w': a brace stands alone; write {{ for the sign itself" in joined
    assert "13: 'C' is neither on the scale nor a status" in joined
    assert "13: expected the verdict itself, or why there is none" in joined
    assert "15: '{$judge}': '$judge' has no value here; valid: $file, $row, $stem" in joined
    assert "15: needs `orders`" in joined


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SINGLE.replace("single", "pair") + FILE, "a pair needs `names`"),
        (SINGLE + "names: better\n" + FILE, "only a pair's letters name"),
        (TOP + "scale: [A, B, C]\n" + FILE, "a pair's verdicts are A, B and `tie`, found 'C'"),
        (TOP + "scale: [A, B]\n" + FILE, "the tie 'TIE' is not listed; write `tie: null`"),
        (TOP + "scale: [A, A, B, TIE]\n" + FILE, "a verdict is listed twice"),
        (SINGLE + "scale: ['yes', refused]\n" + FILE, "'refused' is a status"),
        (SINGLE + "range: [5, 1]\n" + FILE, "expected lowest and highest score"),
        (TOP + "files: []\n", "expected at least one entry"),
        (TOP + FILE.replace("t.jsonl", "/t.jsonl"), "expected a path below the data folder"),
        (TOP + FILE.replace("t.jsonl", "../t.jsonl"), "expected a path below the data folder"),
        (TOP + "files: [{path: t.jsonl}]\n", "without `item` there must be `question`"),
        (TOP + FILE + '    responses: ["{a}"]\n', "a pair has 2, found 1"),
        (SINGLE + FILE + '    models: ["{a}", "{b}"]\n', "a single has 1, found 2"),
        (SINGLE + FILE + '    sides: ["{a}", "{b}"]\n', "only a pair has two sides"),
        (TOP + FILE + "    rows: a\n    format: csv\n", "names a place inside JSON"),
        (TOP + FILE + "    rows: '*.a'\n", "`*` may only stand last"),
        (TOP + FILE + '    each: {"a b": "{x}"}\n', "expected a name of letters"),
        (TOP + FILE + '    cluster: "{$key}"\n', "'$key' has no value here"),
        (TOP + FILE + '    cluster: "{$first}"\n', "'$first' has no value here"),
        (TOP + FILE + '    parts: {p: {of: "{x}", pattern: "a("}}\n', "not a regular expression"),
        (TOP + FILE + '    parts: {p: {of: "{x}", pattern: "a"}}\n', "the pattern needs a group"),
        (TOP + FILE + '    lookup: {l: {path: q, key: "{$x}", by: "{i}"}}\n', "no value here"),
        (TOP + VOTES, "exactly one of verdict, between and scores, found none"),
        (
            TOP + VOTES + '        verdict: "{w}"\n        scores: ["{a}", "{b}"]\n',
            "found verdict and scores",
        ),
        (TOP + VOTES + '        scores: ["{a}"]\n', "a pair has 2 scores, found 1"),
        (SINGLE + VOTES + '        scores: ["{a}", "{b}"]\n', "has 1 score, found 2"),
        (SINGLE + VOTES + '        verdict: "{a}"\n', "needs the mapping's `scale`"),
        (
            SINGLE + "scale: [a]\n" + VOTES + '        verdict: "{a}"\n        order: "{o}"\n',
            "only a pair has it",
        ),
        (
            TOP + VOTES + '        between: {value: "{p}", first: 1, second: 1}\n',
            "`first` and `second` are the same number",
        ),
        (TOP + VOTES + '        verdict: "{w}"\n        letters: shown\n', "needs `order`"),
        (TOP + VOTES + '        verdict: "{w}"\n        orders: {a: stored}\n', "needs `order`"),
        (TOP + VOTES + '        verdict: "{w}"\n        samples: {a: 1}\n', "needs `sample`"),
        (
            TOP + VOTES + '        verdict: "{w}"\n        confidence_range: [1, 5]\n',
            "needs `confidence`",
        ),
        (TOP + VOTES + '        verdict: "{w}"\n        when: {"{a}": []}\n', "an empty list"),
        (
            TOP + VOTES + '        scores: ["{a}", "{b}"]\n        read: {x: A}\n',
            "expected a number or a status, found 'A'",
        ),
        (
            TOP
            + VOTES
            + '        between: {value: "{p}", first: 1, second: 2}\n        read: {x: "1"}\n',
            "expected a status, found '1'",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str, tmp_path: Path) -> None:
    assert any(said in line for line in errors(tmp_path, text)), errors(tmp_path, text)


def test_merge_keys_take_what_is_not_given(tmp_path: Path) -> None:
    text = TOP + VOTES.replace("- by: j", '- &j\n        by: j\n        verdict: "{w}"')
    text += "      - <<: *j\n        by: k\n"
    first, second = load(tmp_path, text).files[0].votes
    assert (first.by, second.by, second.verdict) == ("j", "k", "{w}")
    assert any("unknown key" in line for line in errors(tmp_path, text.replace("*j", "3")))


@pytest.mark.parametrize("name", [*shipped(), *OWN])
def test_every_shipped_mapping_is_sound(name: str) -> None:
    mapping = load_shipped(name)
    assert mapping.name == name
    assert mapping.title
    assert mapping.published
    assert mapping.licence


def test_an_unknown_benchmark_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="unknown benchmark 'pandlm'; did you mean 'pandalm'"):
        load_shipped("pandlm")
    assert not set(OWN) & set(shipped())


def test_a_missing_mapping_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="expected a mapping file, found none"):
        load_mapping(tmp_path / "none.yaml")


def test_the_tie_has_one_name(tmp_path: Path) -> None:
    text = TOP.replace("names:", "tie: C\nnames:") + VOTES + '        verdict: "{w}"\n'
    (found,) = errors(tmp_path, text)
    assert "expected TIE, or null where there is none, found 'C'" in found
