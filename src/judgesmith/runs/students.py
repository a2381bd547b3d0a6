"""Where a run keeps the models that it makes, by the names that recipes and tables use."""

from typing import Final

STUDENT: Final = "student"
BEFORE: Final = "before training"
AFTER_DPO: Final = "after DPO"
MERGED: Final = "merged"

_FAST: Final = " (fast)"
"""Ends the name of a student that is asked in fast mode: its verdict at once, without a reason."""

_FOLDERS = {
    STUDENT: "sft/student",
    BEFORE: "sft/before",
    AFTER_DPO: "dpo/student",
    MERGED: "merge/student",
}


def student_folder(name: str) -> str:
    """The folder of a student in its run; any other name is one of `sft.judges`.

    >>> student_folder("student"), student_folder("pairwise")
    ('sft/student', 'sft/pairwise/student')
    >>> student_folder("student (fast)")
    'sft/student'
    """
    name = made_as(name)
    return _FOLDERS.get(name, f"sft/{name}/student")


def made_as(name: str) -> str:
    """The name under which a student is made, however it is asked.

    >>> made_as("student (fast)"), made_as("student")
    ('student', 'student')
    """
    return name.removesuffix(_FAST)


def is_fast(name: str) -> bool:
    """Whether a student is asked for its verdict at once, by its name.

    >>> is_fast("student (fast)"), is_fast("student")
    (True, False)
    """
    return name.endswith(_FAST)


def student_stage(name: str) -> str:
    """The stage that makes a student.

    >>> student_stage("pairwise"), student_stage("merged")
    ('sft', 'merge')
    """
    return student_folder(name).partition("/")[0]
