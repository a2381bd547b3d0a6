"""Progress where no terminal shows it."""

import pytest

from judgesmith.runs import progress


def test_a_log_gets_a_line_now_and_then_with_rate_and_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 1,000 units 100 were done before; 200 more take 100 s, so 700 are left at 2 a second."""
    clock = iter((0.0, 10.0, 100.0, 110.0))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.progress_bar("judge", 1000, done=100) as bar:
        bar.advance(50)
        bar.advance(150, cost_usd=0.5)
        bar.advance(1)
    assert capsys.readouterr().err == "  judge: 300 of 1,000, $0.50, 2.0/s, 0:05:50 left\n"


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress_bar("check", None) as bar:
        bar.advance()
    assert capsys.readouterr().err == ""
