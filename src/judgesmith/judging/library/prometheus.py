"""A rubric in the prompt, feedback, then the verdict: the layout of Prometheus, in our own words.

The rubric is the question's: `fields.criterion`, and for a score `fields.levels`, what each of the
five scores means, the lowest first. The published spellings of the reply, with the word "Feedback:"
in front and without it, are both read; the first is written.
"""

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.forms import Pattern
from judgesmith.judging.library.blocks import GROUNDED, NOTHING, QUESTION, SUPPORTS, Support, block
from judgesmith.judging.scale import Scale
from judgesmith.records import Direction, Kind

_SHORT = "{rationale} [RESULT] {verdict}"
_REPLY = Pattern(text=f"Feedback: {_SHORT}", read=(_SHORT,))
_TINY = "{rationale} [RESULT]{verdict}"
"""Without a blank before the verdict: many tokenizers join a blank with what follows it, so that no
token would begin the verdict whose chances could be read."""
_SCORES = Scale(low=1, high=5)
_LETTERS = Scale(choices=("A", "B"))

_SYSTEM = {
    Kind.SINGLE: "You grade a response by a fixed rubric. The rubric sets the standard, not how "
    "other responses do; your feedback is specific.",
    Kind.PAIR: "You compare two responses to the same instruction by one criterion, and say which "
    "is better by it; your feedback is specific.",
}

_TASK = {
    Kind.SINGLE: "Below are an instruction, a response to it, {extra}and a score rubric.\n"
    "1. Write feedback on how good the response is by the rubric, and by nothing else.\n"
    "2. Then give the score of the rubric that fits best: a whole number from 1 to 5.\n"
    "3. Answer in this layout: Feedback: (your feedback) [RESULT] (the number)\n"
    "4. Write nothing before or after that.",
    Kind.PAIR: "Below are an instruction, two responses to it, {extra}and a score rubric.\n"
    "1. Write feedback that compares the two by the rubric, and by nothing else: what they share "
    "and where they differ.\n"
    "2. Then name the better one: A or B. The order in which they stand is chance.\n"
    "3. Answer in this layout: Feedback: (your feedback) [RESULT] (A or B)\n"
    "4. Write nothing before or after that.",
}

_RESPONSES = {
    Kind.SINGLE: "###Response to evaluate:\n{{ responses[0].text }}\n\n",
    Kind.PAIR: "{% for response in responses %}\n###Response {{ response.letter }}:\n"
    "{{ response.text }}\n\n{% endfor %}\n",
}

_RUBRIC = {
    Kind.SINGLE: "###Score Rubrics:\n[{{ fields.criterion }}]\n"
    '{% for level in fields.levels | exactly(5, "levels") %}\n'
    "Score {{ loop.index }}: {{ level }}\n{% endfor %}\n\n",
    Kind.PAIR: "###Score Rubric:\n{{ fields.criterion }}\n\n",
}

_EXTRA = {None: "", "reference": "a reference answer ", "grounding": "a document "}


def _task(kind: Kind, support: Support) -> str:
    told = _TASK[kind].format(extra=_EXTRA[support.field])
    return f"{told}\n5. {support.use}" if support.use else told


def _dialect(name: str, kind: Kind, support: Support) -> Dialect:
    best = "###Reference Answer (Score 5):" if kind is Kind.SINGLE else "###Reference Answer:"
    heading = "###Document:" if support is GROUNDED else best
    user = (
        f"###Task Description:\n{_task(kind, support)}\n\n"
        f"###The instruction to evaluate:\n{QUESTION}\n\n"
        f"{_RESPONSES[kind]}{block(support, heading)}{_RUBRIC[kind]}###Feedback:"
    )
    return Dialect(
        name=name, kind=kind, system=_SYSTEM[kind], user=user, direction=Direction.BETTER,
        scale=_SCORES if kind is Kind.SINGLE else _LETTERS, reply=_REPLY,
    )  # fmt: skip


def _compact(dialect: Dialect) -> Dialect:
    """For a small student that is trained from nothing and learns the task from its rows alone."""
    answers = (
        "{% for response in responses %}\nResponse"
        f"{' {{ response.letter }}' if dialect.kind is Kind.PAIR else ''}: "
        "{{ response.text }}\n{% endfor %}\n"
    )
    ask = "Better?" if dialect.kind is Kind.PAIR else "Score?"
    return Dialect(
        name=f"{dialect.name}-compact", kind=dialect.kind, direction=dialect.direction,
        user=f"{QUESTION}\n{answers}{{{{ fields.criterion }}}}\n{ask}",
        scale=dialect.scale, reply=Pattern(text=_TINY),
    )  # fmt: skip


_ABSOLUTE = tuple(_dialect(f"prometheus-absolute{s.suffix}", Kind.SINGLE, s) for s in SUPPORTS)
_RELATIVE = tuple(_dialect(f"prometheus-relative{s.suffix}", Kind.PAIR, s) for s in SUPPORTS)

DIALECTS = (
    *_ABSOLUTE, *_RELATIVE,
    *(_compact(found[SUPPORTS.index(NOTHING)]) for found in (_ABSOLUTE, _RELATIVE)),
)  # fmt: skip
