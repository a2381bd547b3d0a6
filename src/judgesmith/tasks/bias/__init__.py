"""The bias task: which of two responses to a question relies more on a social stereotype.

Task fields of a question: `condition`, `polarity`, `slots`, `groups`, `stereotyped_groups` (from
the source), `target` and `unknown` (derived here). Of a response: `letter`, `letter_rule`,
`letter_start`, `letter_end`, `letter_conflicts`, `class`, `words`, `hedged`, `uncertain` (all
derived here, once).
"""

from judgesmith.tasks.bias.task import TASK

__all__ = ["TASK"]
