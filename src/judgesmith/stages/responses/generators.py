"""Models that answer questions, and the words in which each is asked."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import Field, field_validator

from judgesmith.errors import RecipeError, nearest
from judgesmith.records import LETTERS, Message, Question
from judgesmith.runs.recipe import Section
from judgesmith.tasks import Task

PLACE = re.compile(r"\{(\w+)\}")
PLACES = ("context", "question", "choices")
"""What a prompt can show. Other braces are text."""


class Generator(Section):
    """A model of the recipe that answers questions.

    `prompt` is the words for this family of models, with the places `{context}`, `{question}` and
    `{choices}` (one lettered line each); without it the task's own words are used. `system` goes
    before it as a system message. `simulated` are the rates of a responder of the task that
    answers in its place.
    """

    model: str = Field(min_length=1)
    prompt: str | None = None
    system: str | None = None
    simulated: dict[str, Any] | None = None

    @field_validator("prompt")
    @classmethod
    def _places_are_known(cls, prompt: str | None) -> str | None:
        named = PLACE.findall(prompt or "")
        for place in named:
            if place not in PLACES:
                raise ValueError(f"unknown place {{{place}}}; {nearest(place, PLACES)}")
        if prompt is not None and "question" not in named:
            raise ValueError("a prompt needs the place {question}")
        return prompt

    def messages(self, question: Question, task: Task) -> tuple[Message, ...]:
        """What the model is sent."""
        text = task.responder_prompt(question)
        if self.prompt is not None:
            text = fill(self.prompt, question)
        asked = Message(role="user", content=text)
        return (
            (asked,)
            if self.system is None
            else (Message(role="system", content=self.system), asked)
        )


def fill(prompt: str, question: Question) -> str:
    """The prompt with the question in its places; what a question says is not read for places.

    >>> asked: dict[str, Any] = dict(
    ...     id="q", source="", licence="", group_id="", template_id=None, category=None,
    ...     context="Ann met Bo.", text="Who is {choices}?", choices=("Ann", "Bo"), key=0,
    ...     reference=None, grounding=None, task={})
    >>> fill("{context} {question} As JSON: {}", Question(**asked))
    'Ann met Bo. Who is {choices}? As JSON: {}'
    >>> print(fill("{choices}", Question(**asked)))
    A. Ann
    B. Bo
    """
    lettered = zip(LETTERS, question.choices or (), strict=False)
    shown = {
        "context": question.context or "",
        "question": question.text,
        "choices": "\n".join(f"{letter}. {text}" for letter, text in lettered),
    }
    return PLACE.sub(lambda place: shown[place[1]], prompt)


def check_prompts(generators: Sequence[Generator], questions: Sequence[Question]) -> None:
    """Refuse a prompt that leaves out what questions have: a response to less is not comparable."""
    having: dict[str, Any] = {
        "context": [q for q in questions if q.context],
        "choices": [q for q in questions if q.choices],
    }
    for generator in generators:
        for place, found in having.items():
            if generator.prompt is not None and found and f"{{{place}}}" not in generator.prompt:
                raise RecipeError(
                    f"responses.generators: the prompt for {generator.model!r} has no place "
                    f"{{{place}}}, but {len(found)} of {len(questions)} questions have {place}, "
                    f"for example {found[0].id}. Put {{{place}}} where the model is to read it."
                )
