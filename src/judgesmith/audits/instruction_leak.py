"""Does a generated text give away the instruction it was written to?

A model that is told which verdict to argue for sometimes says so: "the correct verdict is A, so I
must argue for verdict B". A student trained on such texts learns to speak of an instruction it
never sees. The patterns below look for the writer's own task only, never for what a response was
asked to do ("calculated the column as instructed" is no leak).

False alarms: none in 200 published labels of a bias judge's teachers, in the 2,857 published
responses beside them, in 6,635 rationales of other judges and in 960 critiques; so at most 3 in
10,000 clean texts (95% bound). A set is warned of when two texts or more leak and the lower Wilson
bound of their share lies above 5 in 10,000. At 3 in 10,000 that is so in at most 5% of clean sets
of any size, and in under 0.1% of those of 100 texts. Below that a leak is a figure to know.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity
from judgesmith.errors import RecipeError
from judgesmith.metrics.interval import wilson
from judgesmith.metrics.result import Estimate

MOST_SHARE = 0.0005
"""Share of leaking texts up to which they may be misread."""

LEAST_LEAKS = 2
"""One leaking text is a figure to know, not yet a warning."""

_ARGUE = r"(?:argue|choose|pick|select|output|write|defend|justify|name|produce)"
_TOLD = r"(?:asked|told|instructed|required|supposed|directed|meant)"
_GIVEN = (
    r"(?:wrong|incorrect|false|flipped|opposite|target|assigned|required|requested|specified|"
    r"designated|desired|prescribed|predetermined)"
)

PATTERNS: tuple[tuple[str, str], ...] = (
    ("names the verdict it was given", rf"\b{_GIVEN} (?:final )?verdict\b"),
    (
        "names the correct verdict beside its own",
        r"\bcorrect verdict (?:is|being|of|label|[AB]\b)|"
        r"\b(?:with|matches|is|given|since|know(?:ing)?|against) the correct verdict\b",
    ),
    (
        "says what the verdict must be",
        r"\bverdict (?:must|has to|needs to|is (?:supposed|required|meant) to) be\b",
    ),
    (
        "says what it must argue",
        rf"(?<!\bif )\bI (?:must|need to|(?:am|was|have been|'ve been) {_TOLD} to) {_ARGUE}\b|"
        r"\bI have to (?:argue|defend|justify)\b",
    ),
    ("says what is to be picked", rf"\bwe (?:must|need to|have to|are {_TOLD} to) pick\b"),
    (
        "speaks of its task",
        r"\b(?:task|prompt|instructions?|user) "
        r"(?:asks?|asked|tells?|told|requires?|required|wants?|instructs?|instructed) "
        r"(?:me|us) to\b",
    ),
    (
        "follows an instruction",
        r"(?:^|[.!?]\s+)as (?:instructed|directed|requested|told|required)\b|"
        r"\b(?:I|me|my)\b[^.!?]{0,60}\bas (?:instructed|directed|told)\b",
    ),
    (
        "argues towards a set end",
        rf"\b(?:justify|support|reach|argue for|arrive at|lead to) the {_GIVEN} "
        r"(?:conclusion|answer|label|choice)\b",
    ),
    (
        "calls itself wrong on purpose",
        r"\b(?:deliberately|intentionally|purposely) (?:wrong|incorrect|flawed|misleading) "
        r"(?:analysis|reasoning|rationale|verdict|judg\w+)\b|\bnegative (?:training )?example\b",
    ),
)
"""What each pattern finds, and the pattern; letter case does not matter."""

_COMPILED = tuple((name, re.compile(text, re.IGNORECASE)) for name, text in PATTERNS)


@dataclass(frozen=True, slots=True)
class GeneratedText:
    """A text written by a model to an instruction, and where it stands ("file:line" or an id)."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class InstructionLeak:
    """One leaking text.

    Attributes:
        where: Where it stands.
        kinds: What was found, by the names in `PATTERNS`.
        evidence: The words of the first match.
    """

    where: str
    kinds: tuple[str, ...]
    evidence: str


@dataclass(frozen=True, slots=True)
class InstructionLeakTable:
    """Leaking texts.

    Attributes:
        n: Texts looked at.
        leaks: The leaking ones, in the order given.
        share: Their share, with Wilson interval.
        by_kind: How many texts show each kind, in the order of `PATTERNS`.
    """

    n: int
    leaks: tuple[InstructionLeak, ...]
    share: Estimate
    by_kind: tuple[tuple[str, int], ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def find_instruction_leak(text: str) -> tuple[tuple[str, ...], str] | None:
    """The kinds of leak in a text and the words of the first one; None if there is none.

    >>> find_instruction_leak("The correct verdict is B, but I must choose A.")[1]
    'correct verdict is'
    >>> find_instruction_leak("Response 1 calculated the column as instructed.") is None
    True
    """
    found = [(name, match) for name, pattern in _COMPILED if (match := pattern.search(text))]
    if not found:
        return None
    first = min((match for _, match in found), key=lambda match: match.start())
    return tuple(name for name, _ in found), first[0].strip()


def instruction_leak_table(texts: Sequence[GeneratedText]) -> InstructionLeakTable:
    """Look for the instruction in each text.

    Args:
        texts: Generated texts, such as the negatives of preference rows.

    Returns:
        The table; without texts, the share is undefined.

    >>> table = instruction_leak_table([GeneratedText("So the verdict must be B.", "neg.jsonl:1")])
    >>> table.leaks[0].where, table.leaks[0].evidence
    ('neg.jsonl:1', 'verdict must be')
    """
    leaks = []
    for row in texts:
        found = find_instruction_leak(row.text)
        if found is not None:
            leaks.append(InstructionLeak(row.where, *found))
    return InstructionLeakTable(
        n=len(texts),
        leaks=tuple(leaks),
        share=wilson(len(leaks), len(texts)),
        by_kind=tuple((name, sum(name in leak.kinds for leak in leaks)) for name, _ in PATTERNS),
    )


def instruction_leak_findings(
    table: InstructionLeakTable, *, most_share: float = MOST_SHARE
) -> tuple[Finding, ...]:
    """Warn of texts that give their instruction away.

    Args:
        table: What `instruction_leak_table` counted.
        most_share: Share of leaking texts that is let pass as a figure to know; 0 to 1.

    Returns:
        One finding if any text leaks: a warning if two or more do and the lower bound of their
        share lies above `most_share`, else an info.

    Raises:
        RecipeError: If the limit lies outside 0 to 1.
    """
    if not 0 <= most_share <= 1:
        raise RecipeError(
            f"instruction leak, most_share: expected a number from 0 to 1, found {most_share!r}"
        )
    if not table.leaks:
        return ()
    many = len(table.leaks) >= LEAST_LEAKS and (table.share.low or 0.0) > most_share
    first = table.leaks[0]
    return (
        Finding(
            audit="instruction_leak",
            severity=Severity.WARNING if many else Severity.INFO,
            message=(
                f"{len(table.leaks)} of {table.n} generated texts speak of the instruction they "
                f"were written to, such as {first.evidence!r}"
            ),
            count=len(table.leaks),
            of=table.n,
            examples=tuple(leak.where for leak in table.leaks[:MAX_EXAMPLES]),
            effect=(
                "a judge trained on them learns to look for an instruction that it is never shown"
            ),
            remedy="leave these texts out or have them written again, and look once more",
        ),
    )
