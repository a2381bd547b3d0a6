"""The command line.

Exit codes: 0 done (gate: pass), 1 gate failed or audit error, 2 a user's mistake, 3 not decided
(gate: not enough evidence; audit: warnings only).

Nothing heavy is imported until a command runs.
"""

from judgesmith.cli.main import main

__all__ = ["main"]
