"""Fixtures that several test folders share."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests" / "servers"))
from running import fault_server_fixture  # noqa: E402

__all__ = ["fault_server_fixture"]


def find_shared_data() -> Path | None:
    """The folder of published data: $JUDGESMITH_DATA, or the one beside the checkout."""
    given = os.environ.get("JUDGESMITH_DATA")
    folder = Path(given) if given else ROOT.parent / "shared" / "data"
    return folder if (folder / "judge_from_scratch").is_dir() else None


WIDE = ("cli", "pipeline", "known_answers", "report/comparison/test_browser.py")
"""Folders and files whose tests start processes or a browser; `make unit` leaves them out."""


LONG = (
    "cli/test_data_half.py",
    "cli/test_published_recipes.py",
    "pipeline/test_kill.py",
    "reliability/",
)
"""What takes longest, or waits: it comes first, so that two workers end at the same time."""


EXTERNAL = ("external", "deploy", "browser")
"""Folders of tests that need what is slow to install."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what has a make target of its own, unless that asks for it."""
    external = collection_path.parent == ROOT / "tests" and collection_path.name in EXTERNAL
    return True if external and config.option.markexpr != "external" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as wide what starts processes or reads published data; put what is long first."""
    items.sort(key=lambda item: not _place(item).startswith(LONG))
    for item in items:
        place = _place(item)
        published = {"shared_data", "published", "fault_server"} & set(
            getattr(item, "fixturenames", ())
        )
        if published or place.startswith(WIDE):
            item.add_marker("wide")


def _place(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT).as_posix().removeprefix("tests/")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = find_shared_data()
    if folder is None:
        pytest.skip("PUBLISHED DATA ABSENT: set JUDGESMITH_DATA to the folder of published data")
    return folder
