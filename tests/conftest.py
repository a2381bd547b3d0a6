"""Fixtures that several test folders share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def find_shared_data() -> Path | None:
    """The folder of published data: $JUDGESMITH_DATA, or the one beside the checkout."""
    given = os.environ.get("JUDGESMITH_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    return folder if (folder / "judge_from_scratch").is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = find_shared_data()
    if folder is None:
        pytest.skip("PUBLISHED DATA ABSENT: set JUDGESMITH_DATA to the folder of published data")
    return folder
