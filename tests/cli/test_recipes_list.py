"""The list of recipes, whatever stands in their files."""

from pathlib import Path

import pytest

from judgesmith.cli import running


def test_a_file_that_holds_only_comments_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun, whole = tmp_path / "begun.yaml", tmp_path / "whole.yaml"
    begun.write_text("# not written yet\n")
    whole.write_text("task: bias\ndescription: Makes a judge.\n")
    monkeypatch.setattr(running, "shipped_recipes", lambda: {"begun": begun, "whole": whole})
    running.recipes_command(None)
    shown = capsys.readouterr().out
    assert "begun" in shown
    assert "Makes a judge." in shown
