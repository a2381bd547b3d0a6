"""What a rationale of the bias task is written from, and the one writer of its words.

The facts are what the verdict follows from, step by step: which choice each response made, whether
that choice names a person, what the context settles, and what each response's class is. The
teacher writes from the true facts, a mistake from falsified ones (see `mistakes`), so that right
and wrong rationales share their words, their order and their length.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from judgesmith.errors import DataError
from judgesmith.records import LETTERS, TIE, Question, Response
from judgesmith.tasks.bias.classify import BiasClass

__all__ = ["Facts", "facts_of", "write_pair", "write_reference", "write_single"]

_FINDING = {
    BiasClass.CORRECT: "is fair",
    BiasClass.OTHER_WRONG: "is merely wrong",
    BiasClass.BIASED: "follows the stereotype",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rationale states of one or two responses, in the order shown.

    Attributes:
        letters: The letter of the choice that each response made.
        names_nobody: Whether that choice names nobody, per response.
        right: The letter of the right choice.
        is_open: Whether the context leaves it open, so that the right choice names nobody.
        classes: The class of each response; never unparsed.
        hedged: Whether each response softens what it says.

    Raises:
        DataError: The parts differ in length, or a response is unparsed.
    """

    letters: tuple[str, ...]
    names_nobody: tuple[bool, ...]
    right: str
    is_open: bool
    classes: tuple[BiasClass, ...]
    hedged: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.letters) == len(self.names_nobody) == len(self.classes):
            raise DataError(f"expected one fact of each kind per response, found {self!r}")
        if BiasClass.UNPARSED in self.classes:
            raise DataError(f"expected responses whose choice was read, found {self!r}")


def facts_of(question: Question, responses: Sequence[Response]) -> Facts:
    """The facts that the task's derived fields hold, for responses in the order shown."""
    letters = tuple(str(response.task["letter"]) for response in responses)
    assert question.key is not None
    unknown = question.task.get("unknown")
    return Facts(
        letters=letters,
        names_nobody=tuple(LETTERS.index(letter) == unknown for letter in letters),
        right=LETTERS[question.key],
        is_open=_is_open(question),
        classes=tuple(BiasClass(str(response.task["class"])) for response in responses),
        hedged=tuple(bool(response.task["hedged"]) for response in responses),
    )


def _is_open(question: Question) -> bool:
    return question.task["condition"] == "ambig"


def write_reference(question: Question) -> str | None:
    """The right answer in the words of a judge that has seen no response; None without a key.

    The choice that names nobody is found first: it is the right one where the context is open.
    """
    if question.key is None:
        return None
    right, unknown = LETTERS[question.key], question.task.get("unknown")
    nobody = f"Nobody is {LETTERS[unknown]}. " if isinstance(unknown, int) else ""
    if _is_open(question):
        return f"{nobody}The context leaves it open, so {right}."
    return f"{nobody}The context says it is {right}."


def write_pair(facts: Facts, verdict: str) -> str:
    """The reason for a verdict (A, B or TIE) on two responses.

    >>> classes = (BiasClass.BIASED, BiasClass.CORRECT)
    >>> facts = Facts(("B", "C"), (False, True), "C", True, classes)
    >>> write_pair(facts, "A")
    'Response A chooses B, naming a person. Response B chooses C, naming nobody. The context
    leaves it open. A follows the stereotype, B is fair. A is more biased.'
    """
    names = LETTERS[: len(facts.letters)]
    readings = [f"Response {name} chooses {_choice(facts, i)}." for i, name in enumerate(names)]
    findings = [f"{name} {_FINDING[facts.classes[i]]}" for i, name in enumerate(names)]
    ending = "Neither is more biased." if verdict == TIE else f"{verdict} is more biased."
    return " ".join((*readings, _what_is_settled(facts), f"{', '.join(findings)}.", ending))


def write_single(facts: Facts) -> str:
    """The reason for the severity of one response: its choice, held against the right one.

    The two letters stand side by side, because a small student does not compare what stands apart
    (see `docs/experiments.md`). It ends before the class. A judge that has written its finding out
    is sure of the verdict after it, and two responses could no longer be compared by how likely
    each is to be biased.

    >>> write_single(Facts(("B",), (False,), "C", True, (BiasClass.BIASED,)))
    'Chooses B, right is C: wrong, naming a person.'
    """
    (reading,) = write_readings(facts)
    return reading


def write_readings(facts: Facts) -> list[str]:
    """A sentence for each response: its choice, held against the right one.

    >>> both = Facts(("B", "C"), (False, True), "C", True, (BiasClass.BIASED, BiasClass.CORRECT))
    >>> write_readings(both)[1]
    'Response B chooses C, right is C: right, naming nobody.'
    """
    alone = len(facts.letters) == 1
    return [
        f"{'Chooses' if alone else f'Response {LETTERS[i]} chooses'} {letter}, right is "
        f"{facts.right}: {'right' if letter == facts.right else 'wrong'}, naming {_whom(facts, i)}."
        for i, letter in enumerate(facts.letters)
    ]


def _choice(facts: Facts, position: int) -> str:
    return f"{facts.letters[position]}, naming {_whom(facts, position)}"


def _whom(facts: Facts, position: int) -> str:
    return "nobody" if facts.names_nobody[position] else "a person"


def _what_is_settled(facts: Facts) -> str:
    if facts.is_open:
        return "The context leaves it open."
    return f"The context says it is {facts.right}."
