"""The exception tree: everything judgesmith raises on purpose.

    JudgesmithError            a mistake the user can mend: one message, exit code 2, no traceback
    |-- RecipeError            the recipe, an option or an argument is wrong
    |-- DataError              a file or record does not have the promised form
    |-- RunError               the run folder is not in the state the command needs
    |-- AuditError             an audit found a defect that must stop the run
    |-- ModelError             a model could not be loaded or did not answer
    `-- TrainingError          training cannot start or must not go on

Anything else that escapes is a bug of ours and shows its traceback. A message says what was
expected, what was found, where, and what to do next.
"""

import difflib
from collections.abc import Iterable, Sequence


class JudgesmithError(Exception):
    """Base of all errors that are meant for the user."""


class RecipeError(JudgesmithError):
    """The recipe, a `--set` option or an argument is wrong."""


class DataError(JudgesmithError):
    """A file, row or field does not have the promised form."""


class RunError(JudgesmithError):
    """The run folder is not in the state that the command needs."""


class AuditError(JudgesmithError):
    """An audit found a defect that must stop the run; `findings` are all that it found."""

    def __init__(self, message: str, findings: Sequence[dict[str, object]] = ()) -> None:
        super().__init__(message)
        self.findings = list(findings)


class ModelError(JudgesmithError):
    """A model could not be loaded or did not answer."""


class TrainingError(JudgesmithError):
    """Training cannot start, or must not go on."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """Say which valid name was probably meant, and list the valid ones.

    >>> nearest("epoch", ["epochs", "seed"])
    "did you mean 'epochs'? Valid: epochs, seed"
    >>> nearest("zzz", ["epochs", "seed"])
    'valid: epochs, seed'
    """
    names = sorted(valid)
    close = difflib.get_close_matches(name, names, n=1)
    listed = ", ".join(names)
    return f"did you mean {close[0]!r}? Valid: {listed}" if close else f"valid: {listed}"
