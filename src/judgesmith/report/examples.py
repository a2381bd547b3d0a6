"""One judged item as the parts that a page shows, in reading order."""

from dataclasses import dataclass

from judgesmith.report.excerpt import cut, one_line
from judgesmith.report.numbers import figure
from judgesmith.report.results import Example


@dataclass(frozen=True, slots=True)
class Part:
    """A named text; `note` says what was left out of it, if anything."""

    name: str
    text: str
    note: str


def example_title(example: Example) -> str:
    """Say verdict, label, question and place of an example in one line."""
    verdict = "not parsed" if example.verdict is None else example.verdict
    places = [example.slice, example.bucket, example.category]
    where = ", ".join(place for place in places if place is not None)
    outcome = "Right" if example.right else "Wrong"
    asked = one_line(example.question, 90)
    return f"{outcome}: verdict {verdict}, label {example.label} · {asked} ({where})"


def example_parts(example: Example) -> list[Part]:
    """Give question, choices, responses, rationale and probability of an example.

    What the example does not have is left out, except the verdict.
    """
    found: list[tuple[str, str | None]] = [
        ("Context", example.context),
        ("Question", example.question),
    ]
    if example.choices:
        found.append(("Choices", "\n".join(example.choices)))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    for place, text in enumerate(example.responses):
        name = "Response" if len(example.responses) == 1 else f"Response {letters[place % 26]}"
        by = example.generators[place] if place < len(example.generators) else None
        found.append((f"{name}, by {by}" if by else name, text))
    found.append(("Rationale", example.rationale))
    if example.probability is not None:
        found.append(("Probability of the verdict", figure(example.probability)))
    found.append(("Item", example.item_id))
    parts = []
    for name, content in found:
        if content is not None:
            kept, note = cut(content)
            parts.append(Part(name, kept, note or ""))
    return parts
