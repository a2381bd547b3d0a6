"""Responses of several systems to the same questions, and the pairs that a judge is to see."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from judgesmith.errors import DataError, nearest
from judgesmith.records import content_id
from judgesmith.runs.jsonl import read_rows, validate_row
from judgesmith.sources.own_files import AskedRow


class SystemRow(AskedRow):
    """One system's response: what a judge is shown of the question, `model` and `text`.

    Without `model` the file's name, up to its first dot, is the system.
    """

    model: str | None = None
    text: str


class SystemResponses(NamedTuple):
    """For each question what is shown of it, and the text of each system that answered it."""

    questions: dict[str, dict[str, Any]]
    texts: dict[str, dict[str, str]]

    @property
    def systems(self) -> list[str]:
        """The systems, by name."""
        return sorted({name for of_question in self.texts.values() for name in of_question})


def read_system_responses(paths: Sequence[Path]) -> SystemResponses:
    """The responses in these files.

    Raises DataError naming file, line and field, also where a system answered a question twice, and
    where two rows would show different things of one question.
    """
    questions: dict[str, dict[str, Any]] = {}
    shown_at: dict[str, str] = {}
    texts: dict[str, dict[str, str]] = {}
    seen: dict[tuple[str, str], str] = {}
    for path in paths:
        rows_before = len(seen)
        for line, raw in read_rows(path):
            where = f"{path}:{line}"
            row = validate_row(raw, SystemRow, where=where)
            system, key = row.model or path.name.partition(".")[0], row.question_key
            if (system, key) in seen:
                raise DataError(
                    f"{where}: field 'question': {system!r} answered this question before, in "
                    f"{seen[system, key]}. Give one response of each system to each question."
                )
            seen[system, key] = where
            shown = row.model_dump(
                mode="json", include=set(AskedRow.model_fields), exclude_none=True
            )
            before = questions.setdefault(key, shown)
            at = shown_at.setdefault(key, where)
            if shown != before:
                raise DataError(f"{where}: {_difference(shown, before)}, in {at}. {_ONE_QUESTION}")
            texts.setdefault(key, {})[system] = row.text
        if len(seen) == rows_before:
            raise DataError(f"{path}: expected at least one response, found an empty file.")
    return SystemResponses(questions, texts)


_ONE_QUESTION = "Whoever judges two responses is shown one question: make the rows agree."


def _difference(shown: dict[str, Any], before: dict[str, Any]) -> str:
    name = next(n for n in AskedRow.model_fields if shown.get(n) != before.get(n))
    found, expected = shown.get(name), before.get(name)
    return f"field {name!r}: found {found!r}, and for the same question {expected!r}"


def pairs_of(found: SystemResponses, baseline: str | None = None) -> Iterator[dict[str, Any]]:
    """Every two systems on each question that both answered; with a baseline only those with it.

    Raises DataError where there are fewer than two systems, or none of the baseline's name.
    """
    systems = found.systems
    if len(systems) < 2:
        raise DataError(
            f"expected the responses of two systems or more, found {', '.join(systems) or 'none'}. "
            "Name them by the field `model`, or give one file for each."
        )
    if baseline is not None and baseline not in systems:
        raise DataError(
            f"--baseline {baseline!r}: no system has that name; {nearest(baseline, systems)}"
        )
    for key, of_question in found.texts.items():
        for a, b in combinations(sorted(of_question), 2):
            if baseline is None or baseline in (a, b):
                yield {
                    "id": content_id(key, a, b), **found.questions[key], "model_a": a, "model_b": b,
                    "response_a": of_question[a], "response_b": of_question[b],
                }  # fmt: skip
