import json

import pytest

from judgesmith.audits.dialects import dialect_findings, dialect_table
from judgesmith.audits.finding import Severity
from judgesmith.errors import DataError


def test_one_hash_everywhere_gives_nothing() -> None:
    sides = {name: {"h1": [f"{name}:1"]} for name in ("train", "evaluation", "serving")}
    assert dialect_findings(dialect_table(sides)) == ()
    assert dialect_findings(dialect_table({})) == ()


def test_a_side_with_another_hash_is_an_error_with_places_of_both() -> None:
    table = dialect_table(
        {"train": {"h1": ["t:1", "t:2"]}, "serving": {"h2": ["s:9"]}}, what="chat template"
    )
    found = dialect_findings(table)
    assert [(f.severity, f.count, f.of, f.examples) for f in found] == [
        (Severity.ERROR, 1, 1, ("t:1", "s:9"))
    ]
    assert found[0].message == "serving uses chat template h2 where train uses h1"


def test_a_side_that_partly_differs_is_a_warning_and_mixes_versions() -> None:
    found = dialect_findings(
        dialect_table(
            {"train": {"h1": ["t:1"]}, "evaluation": {"h1": ["e:1", "e:2"], "h2": ["e:3"]}}
        )
    )
    assert [(f.severity, f.count, f.of) for f in found] == [(Severity.WARNING, 1, 3)] * 2
    assert "mixes 2 versions" in found[1].message


def test_rows_without_a_hash_are_named() -> None:
    found = dialect_findings(
        dialect_table({"train": {None: ["t:4"], "h1": ["t:1"]}, "serving": {}})
    )
    assert [(f.count, f.of, f.examples) for f in found] == [(1, 2, ("t:4",)), (0, 0, ())]


def test_bad_input_is_refused_and_the_table_is_json() -> None:
    with pytest.raises(DataError, match="side 'train'"):
        dialect_table({"train": {"": ["t:1"]}})
    with pytest.raises(DataError, match="places"):
        dialect_table({"train": {"h1": []}})
    stored = json.loads(json.dumps(dialect_table({"train": {"h1": ["t:1"]}}).to_dict()))
    assert stored["sides"][0]["hashes"] == [["h1", 1]]
