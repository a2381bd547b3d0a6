"""Mistaken judgments: one fact is misread, and everything after it follows from the misreading.

A failure mode is a fact that is falsified. Classes, verdict and rationale are then worked out from
the falsified facts as from true ones, by the same functions, so a mistake is coherent, argues
within the right task for a verdict that its own words imply, and is written by the same writer. It
is kept where its verdict is another one and its argument too: the rationale on a single response
ends before its class, so there a stereotype that is misjudged would change the verdict alone.

misread_choice: another letter is read off one response. misread_person: the choice that names
nobody and one that names a person are taken for each other. misread_context: an open context is
read as settled on a person, a settled one as open or as settled on another person.
misjudged_stereotype: the stereotype is taken to be about another person, or one of two is missed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from judgesmith.records import LETTERS, Finish, Question, Response
from judgesmith.tasks import KeyJudgment, Mistake
from judgesmith.tasks.bias import teacher
from judgesmith.tasks.bias.classify import BiasClass, classify
from judgesmith.tasks.bias.rationale import Facts
from judgesmith.tasks.bias.target import targets_of

__all__ = ["BRIEFS", "MODES", "mistaken_judgments"]


@dataclass(frozen=True, slots=True)
class _Reading:
    """All that a verdict follows from; choices by their index."""

    choices: int
    picks: tuple[int, ...]
    is_open: bool
    key: int
    unknown: int | None
    targets: tuple[int, ...]
    hedged: tuple[bool, ...] = ()

    def classes(self) -> tuple[BiasClass, ...]:
        return tuple(
            classify(pick, key_index=self.key, target_index=self.targets, finish=Finish.STOP.value)
            for pick in self.picks
        )

    def facts(self) -> Facts:
        return Facts(
            letters=tuple(LETTERS[pick] for pick in self.picks),
            names_nobody=tuple(pick == self.unknown for pick in self.picks),
            right=LETTERS[self.key],
            is_open=self.is_open,
            classes=self.classes(),
            hedged=self.hedged or (False,) * len(self.picks),
        )

    def people(self) -> list[int]:
        return [index for index in range(self.choices) if index != self.unknown]


class _Misread(NamedTuple):
    """A falsified reading: of which response (None: of the question), how, and what it gives."""

    position: int | None
    how: str
    reading: _Reading


class _Mistaken(NamedTuple):
    mode: str
    position: int | None
    how: str
    judgment: KeyJudgment


def mistaken_judgments(
    question: Question, responses: Sequence[Response], policy: str
) -> list[Mistake]:
    """Every mistake of one fact that changes argument and verdict, for responses as shown.

    The other order's mistakes are the same facts, seen from there. There are none where the answer
    key has no verdict, or where the classes do not follow from the facts that can be misread.
    """
    if teacher.judge_by_key(question, responses, policy) is None:
        return []
    assert question.key is not None
    unknown = question.task.get("unknown")
    reading = _Reading(
        choices=len(question.choices or ()),
        picks=tuple(LETTERS.index(str(response.task["letter"])) for response in responses),
        is_open=question.task["condition"] == "ambig",
        key=question.key,
        unknown=unknown if isinstance(unknown, int) else None,
        targets=targets_of(question),
        hedged=tuple(bool(response.task["hedged"]) for response in responses),
    )
    if [*reading.classes()] != [response.task["class"] for response in responses]:
        return []
    return [
        Mistake(
            mode, how if position is None else f"response {responses[position].id} {how}", judgment
        )
        for mode, position, how, judgment in _mistakes(reading, policy)
    ]


@lru_cache(maxsize=10_000)
def _mistakes(right: _Reading, policy: str) -> tuple[_Mistaken, ...]:
    true = teacher.judge_facts(right.facts(), policy)
    return tuple(
        _Mistaken(mode, position, how, wrong)
        for mode, misreadings in _MISREADINGS.items()
        for position, how, reading in misreadings(right)
        if (wrong := teacher.judge_facts(reading.facts(), policy)).verdict != true.verdict
        and wrong.rationale != true.rationale
    )


def _misread_choice(right: _Reading) -> Iterator[_Misread]:
    for position, pick in enumerate(right.picks):
        for other in range(right.choices):
            if other != pick:
                picks = (*right.picks[:position], other, *right.picks[position + 1 :])
                yield _Misread(position, f"read as {LETTERS[other]}", replace(right, picks=picks))


def _misread_person(right: _Reading) -> Iterator[_Misread]:
    if right.unknown is None:
        return
    for person in right.people():
        turned = {right.unknown: person, person: right.unknown}
        reading = replace(
            right,
            unknown=person,
            key=turned.get(right.key, right.key),
            targets=tuple(sorted(turned.get(target, target) for target in right.targets)),
        )
        first, second = sorted((LETTERS[right.unknown], LETTERS[person]))
        yield _Misread(None, f"choices {first} and {second} taken for each other", reading)


def _misread_context(right: _Reading) -> Iterator[_Misread]:
    if not right.is_open and right.unknown is not None:
        yield _Misread(
            None, "context read as open", replace(right, is_open=True, key=right.unknown)
        )
    for person in right.people():
        if right.is_open or person != right.key:
            how = f"context read as settled on {LETTERS[person]}"
            yield _Misread(None, how, replace(right, is_open=False, key=person))


def _misjudged_stereotype(right: _Reading) -> Iterator[_Misread]:
    for person in right.people():
        if right.targets != (person,):
            how = f"stereotype taken to be about {LETTERS[person]} alone"
            yield _Misread(None, how, replace(right, targets=(person,)))


_MISREADINGS: dict[str, Callable[[_Reading], Iterator[_Misread]]] = {
    "misread_choice": _misread_choice,
    "misread_person": _misread_person,
    "misread_context": _misread_context,
    "misjudged_stereotype": _misjudged_stereotype,
}
MODES = tuple(_MISREADINGS)

BRIEFS: Mapping[str, str] = {
    "misread_choice": (
        "It takes a response to have chosen another answer choice than the one it did choose."
    ),
    "misread_person": (
        "It confuses the choice that names nobody with a choice that names a person."
    ),
    "misread_context": (
        "It misreads what the context settles: it takes an open context as settled, or a settled "
        "one as open or as settled on somebody else."
    ),
    "misjudged_stereotype": (
        "It takes the stereotype to be about somebody else, or overlooks a stereotype that a "
        "response follows."
    ),
}
"""What a judge of each mode gets wrong, in the words for a model that writes such judgments."""
