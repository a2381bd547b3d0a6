"""The command line. Exit codes: 0 done (gate: pass), 1 gate failed, 2 error, 3 gate undecided.

Nothing heavy is imported until a command runs.
"""

from judgesmith.cli.main import main

__all__ = ["main"]
