"""Are teacher and student, or judge and generator, of one model family?

A judge favours text of its own family, and a student inherits its teacher's taste. Families are
known by name only, through the small table below: a pattern hits a name at a word's start.

False alarms: none beyond the table. Names that hit no pattern are reported as not known, never
guessed; a name may hit several families ("deepseek-r1-distill-llama") and belongs to each.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from judgesmith.audits.finding import MAX_EXAMPLES, Finding, Severity

FAMILIES: tuple[tuple[str, str], ...] = (
    ("claude", r"claude|sonnet|opus|haiku"),
    ("openai", r"gpt-?[345](?!all)|gpt-?oss|chatgpt|openai|text-davinci|davinci|o[134](?:-|$)"),
    ("gemini", r"gemini|palm|bard"),
    ("gemma", r"gemma"),
    ("llama", r"(?:code|tiny)?llama|vicuna|alpaca|wizardlm|guanaco|koala|tulu|pandalm|judgelm|"
     r"auto-?j(?:-|$)"),
    ("mistral", r"mistral|mixtral|ministral|zephyr|prometheus.*v2"),
    ("qwen", r"qwen|qwq"),
    ("deepseek", r"deepseek"),
    ("phi", r"phi(?:-|\d)"),
    ("falcon", r"falcon"),
    ("mpt", r"mpt(?:-|$)"),
    ("pythia", r"pythia|dolly|gpt-?neox|oasst"),
    ("opt", r"opt(?:-|$)"),
    ("bloom", r"bloomz?"),
    ("cerebras", r"cerebras"),
    ("chatglm", r"(?:chat)?glm"),
    ("flan-t5", r"flan-?t5|t5(?:-|$)"),
    ("cohere", r"command-?r|cohere"),
    ("yi", r"yi-\d"),
    ("smollm", r"smollm"),
)  # fmt: skip
"""(family, pattern), by what a model was made from: Vicuna and JudgeLM are Llama."""

_COMPILED = tuple(
    (name, re.compile(rf"(?<![a-z0-9])(?:{pattern})", re.IGNORECASE)) for name, pattern in FAMILIES
)


@dataclass(frozen=True, slots=True)
class ModelPair:
    """Two models in two roles that should not be of one family.

    Attributes:
        where: Where the pair stands: "file:line".
        first_role: "teacher", "judge", ...
        first: Name of the first model.
        second_role: "student", "generator", ...
        second: Name of the second model.
    """

    where: str
    first_role: str
    first: str
    second_role: str
    second: str


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One pair of models, counted over the rows it occurs in.

    Attributes:
        first_role: Role of the first model.
        first: Its name.
        second_role: Role of the second model.
        second: Its name.
        shared: Families that both belong to.
        unknown: Those of the two names that hit no pattern.
        rows: Rows with this pair.
        examples: Where they are.
    """

    first_role: str
    first: str
    second_role: str
    second: str
    shared: tuple[str, ...]
    unknown: tuple[str, ...]
    rows: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamilyTable:
    """One row per pair of models, in order of appearance, and the rows looked at."""

    pairs: tuple[FamilyRow, ...]
    rows: int

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def families(name: str) -> tuple[str, ...]:
    """Give the families that a model's name belongs to, by the table `FAMILIES`.

    >>> families("meta-llama/Llama-3-8b-instruct"), families("deepseek-r1-distill-qwen-7b")
    (('llama',), ('qwen', 'deepseek'))
    >>> families("my-own-judge")
    ()
    """
    return tuple(family for family, pattern in _COMPILED if pattern.search(name))


def family_table(pairs: Iterable[ModelPair]) -> FamilyTable:
    """Look up the families of each pair of models.

    >>> table = family_table([ModelPair("f:1", "teacher", "gpt-4", "student", "vicuna-7b")])
    >>> table.pairs[0].shared, table.pairs[0].unknown
    ((), ())
    """
    rows: Counter[tuple[str, str, str, str]] = Counter()
    examples: dict[tuple[str, str, str, str], list[str]] = {}
    for pair in pairs:
        key = pair.first_role, pair.first, pair.second_role, pair.second
        rows[key] += 1
        examples.setdefault(key, []).append(pair.where)
    return FamilyTable(
        tuple(_row(key, count, examples[key]) for key, count in rows.items()), rows.total()
    )


def _row(key: tuple[str, str, str, str], rows: int, where: list[str]) -> FamilyRow:
    first, second = families(key[1]), families(key[3])
    return FamilyRow(
        *key,
        shared=tuple(family for family in first if family in second),
        unknown=tuple(name for name, hits in ((key[1], first), (key[3], second)) if not hits),
        rows=rows,
        examples=tuple(where[:MAX_EXAMPLES]),
    )


def family_findings(table: FamilyTable) -> tuple[Finding, ...]:
    """Warn of each pair of one family; name the models whose family is not known.

    Args:
        table: What `family_table` looked up.

    >>> pair = ModelPair("f:1", "judge", "gpt-4", "generator", "gpt-3.5-turbo")
    >>> family_findings(family_table([pair]))[0].message
    "judge 'gpt-4' and generator 'gpt-3.5-turbo' are both of the family openai (1 of 1 rows)"
    """
    found = [_same(row, table.rows) for row in table.pairs if row.shared]
    unknown = [row for row in table.pairs if row.unknown]
    if unknown:
        names = sorted({name for row in unknown for name in row.unknown})
        found.append(
            Finding(
                audit="family",
                severity=Severity.INFO,
                message=f"the family of {', '.join(map(repr, names))} is not known",
                count=sum(row.rows for row in unknown),
                of=table.rows,
                examples=tuple(w for row in unknown for w in row.examples)[:MAX_EXAMPLES],
                effect="whether these models judge or teach their own kind was not checked",
                remedy="name the base model",
            )
        )
    return tuple(found)


def _same(row: FamilyRow, rows: int) -> Finding:
    generator = "generator" in (row.first_role, row.second_role)
    effect = (
        "a judge rates text of its own family higher than people do"
        if generator
        else "the student repeats the teacher's own errors, and the two agreeing shows little"
    )
    return Finding(
        audit="family",
        severity=Severity.WARNING,
        message=(
            f"{row.first_role} {row.first!r} and {row.second_role} {row.second!r} are both of the "
            f"family {', '.join(row.shared)} ({row.rows} of {rows} rows)"
        ),
        count=row.rows,
        of=rows,
        examples=row.examples,
        effect=effect,
        remedy="use models of different families, or measure this pair apart against people",
    )
