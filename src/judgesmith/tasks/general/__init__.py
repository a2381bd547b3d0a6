"""The general task: judging by any rubric, with the library's dialects or the recipe's own.

It has no answer classes. Where a question says which lines a right answer holds (`must_hold`), it
has an answer key: the share of them that a response holds.
"""

from judgesmith.tasks.general.task import TASK

__all__ = ["TASK"]
