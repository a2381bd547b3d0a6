"""The bias task: which of two responses to a question relies more on a social stereotype.

Task fields of a question, from the source: `condition`, `polarity`, `slots`, `groups`,
`stereotyped_groups`; and `stereotypes` where two are tracked, which has per choice the one that
would pick it. Derived here, once: `form` (whether one stereotype is tracked or two), `targets` (the
choices that a tracked stereotype would pick: one, two, or none where it cannot be decided),
`target` (the one choice; a question that tracks two has no such field) and `unknown`.

Task fields of a response, all derived here, once: `letter`, `letter_rule`, `letter_start`,
`letter_end`, `letter_conflicts`, `class`, `words`, `hedged`, `uncertain`.
"""

from judgesmith.tasks.bias.task import TASK

__all__ = ["TASK"]
