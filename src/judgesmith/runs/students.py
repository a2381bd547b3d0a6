"""Where a run keeps the models that it makes, by the names that recipes and tables use."""

from typing import Final

STUDENT: Final = "student"
BEFORE: Final = "before training"
AFTER_DPO: Final = "after DPO"
MERGED: Final = "merged"

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
    """
    return _FOLDERS.get(name, f"sft/{name}/student")


def student_stage(name: str) -> str:
    """The stage that makes a student.

    >>> student_stage("pairwise"), student_stage("merged")
    ('sft', 'merge')
    """
    return student_folder(name).partition("/")[0]
