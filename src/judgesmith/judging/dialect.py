"""A dialect: how a judge is asked and how its reply is read, as one hashed object."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from judgesmith.errors import DataError
from judgesmith.judging.examples import Example, check_examples, check_values
from judgesmith.judging.forms import Json, ReplyForm, Tags
from judgesmith.judging.forms.json_reply import canonical
from judgesmith.judging.reading import Expected, Reading, read
from judgesmith.judging.reply_checks import check_reply
from judgesmith.judging.scale import PAIR_SCALE, Scale, Wording, as_text
from judgesmith.judging.templates import KNOWN, check_template, names_in
from judgesmith.judging.writing import rewrite, write
from judgesmith.records import (
    LETTERS,
    TIE,
    Direction,
    Finish,
    Kind,
    Label,
    Question,
    Ranking,
    Scores,
    Status,
    Verdict,
    content_id,
)

__all__ = [
    "GRAMMAR_VERSION", "PAIR_SCALE", "Dialect", "Example", "Scale", "require_dialect",
    "require_direction",
]  # fmt: skip

GRAMMAR_VERSION = Tags.VERSION
"""Raised when replies in tags are read differently; part of the hash of every such dialect."""

_OPTIONS: dict[str, object] = {
    "reference_user": None, "say": None, "system_role": True, "criteria": [],
}  # fmt: skip
"""Fields that are no part of the hash at these values, as before there were such fields."""


@lru_cache(maxsize=256)
def _wording(scale: Scale, said: tuple[tuple[str, str], ...], in_json: bool) -> Wording:
    return Wording(scale, dict(said), canonical if in_json else str)


class Dialect(BaseModel):
    """How a judge is asked, how its reply is read, and what its letter means.

    `user` is a Jinja template over `context`, `question`, `choices` (letter, text), `reference`,
    `grounding`, `fields` (the question's task fields, as `fields.criterion`), `criteria` and
    `responses` (letter, text). `{{ reference | required("reference") }}` refuses a question that
    has none. `direction` says what a letter names, or what the higher score is; it is part of the
    prompt's meaning and travels with every judgment and label.

    `reply` says how a reply is written and read (`judging.forms`), and `say` how a value of the
    scale is written in it, where that is not the value itself. `criteria` are what several scores
    in one reply are about; where a `reply` by criterion names none here, they are the question's
    (`fields.criteria`).

    With `reference_user` the judge first answers the question itself: it is asked in that template,
    which sees no response, and its answer is the `reference` of its judgment. A question that
    brings a reference of its own is judged by that one.

    Where the model's chat template knows no system role, `system_role` is false: the system text
    then heads the user's turn.

    `reply_form` is the end of `system` that says in which form to reply; a person who judges by the
    rubric is not shown it. It is no part of the hash, as `system` holds it. Nor are the `examples`:
    replies with what must be read from them. A dialect that cannot read its own examples, or
    its own writing, is a ValueError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1)
    kind: Kind
    system: str | None = None
    user: str
    reference_user: str | None = None
    scale: Scale
    direction: Direction | None = None
    reply: ReplyForm = Field(default_factory=Tags)
    say: dict[str, str] | None = None
    system_role: bool = True
    criteria: tuple[str, ...] = ()
    reply_form: str | None = Field(None, min_length=1, exclude=True)
    examples: tuple[Example, ...] = Field((), exclude=True)

    @field_validator("say", mode="before")
    @classmethod
    def _numbers_in_yaml(cls, given: Any) -> Any:
        """Numbers without quotes are words, too: `{A: 1, B: 2}`."""
        if not isinstance(given, dict):
            return given
        return {as_text(value): as_text(words) for value, words in given.items()}

    @model_validator(mode="after")
    def _can_be_read(self) -> "Dialect":
        if self.reply_form is not None and not (self.system or "").endswith(self.reply_form):
            raise ValueError(f"expected `system` to end in `reply_form`, {self.reply_form[:80]!r}")
        self._check_letters()
        check_reply(self)
        check_template(self.user, "user", (*KNOWN, "responses"))
        if self.reference_user is not None:
            check_template(self.reference_user, "reference_user", KNOWN)
        check_values(self)
        check_examples(self)
        return self

    def _check_letters(self) -> None:
        """A choice between responses is the letter of one, or the tie: others cannot be turned."""
        if self.kind is Kind.SINGLE or self.scale.choices is None:
            return
        strangers = [c for c in self.scale.choices if c != TIE and c not in tuple(LETTERS)]
        if strangers:
            raise ValueError(
                f"expected the letters of the responses (A, B, ...) and {TIE} as choices of a "
                f"{self.kind} dialect, found {strangers[0]!r}. To have it written otherwise, give "
                f"`scale: [A, B, {TIE}]` and say how: `say: {{A: {strangers[0]}}}`"
            )

    @property
    def hash(self) -> str:
        """Content hash: what makes two judgments comparable."""
        fields = self.model_dump(mode="json")
        for name, value in _OPTIONS.items():
            if fields[name] == value:
                del fields[name]
        if self.scale.step == 1:
            del fields["scale"]["step"]
        if isinstance(self.reply, Tags):  # as before there were other forms
            del fields["reply"]
            tags = {"rationale_tag": self.reply.rationale, "verdict_tag": self.reply.verdict}
            fields |= {**tags, "style": "tags"}
        return content_id("Dialect", self.reply.VERSION, fields)

    @property
    def scored(self) -> bool:
        """Whether a verdict is scores, and not a choice."""
        return self.scale.choices is None

    @property
    def scores_alone(self) -> bool:
        """Whether each response is scored by itself: two scores then make a verdict on a pair."""
        return self.kind is Kind.SINGLE and self.scored

    @property
    def by_criterion(self) -> bool:
        """Whether a reply holds several scores of one response, by criterion."""
        return isinstance(self.reply, Json) and self.reply.by_criterion

    @property
    def wording(self) -> Wording:
        """How a reply writes the values of the scale."""
        said = tuple(sorted(self.say.items())) if self.say else ()
        return _wording(self.scale, said, isinstance(self.reply, Json))

    @property
    def rubric(self) -> str | None:
        """What to judge by, in words: `system` without what it says of the reply's form."""
        if self.system is None:
            return None
        return self.system.removesuffix(self.reply_form or "").rstrip() or None

    @property
    def pair_scale(self) -> Scale:
        """The verdicts on a pair: where responses are scored, the higher one, or a tie."""
        return PAIR_SCALE if self.kind is Kind.SINGLE or self.scored else self.scale

    @property
    def verdict_opening(self) -> str:
        """The text right before the verdict, after which verdict probabilities are read.

        Empty where the verdict comes first of all, and where no one text stands before every value:
        in JSON with scores by criterion or of several responses.
        """
        if not isinstance(self.reply, Json):
            return self.reply.opening
        several = self.by_criterion or (self.scored and self.kind is not Kind.SINGLE)
        return "" if several else self.reply.opening(self.wording.of.values())

    @property
    def reserved(self) -> tuple[str, ...]:
        """What a rationale may not hold, as the reply could not be read back; see `clash`."""
        return self.reply.reserved

    def clash(self, rationale: str) -> str | None:
        """What makes a rationale one that no reply can hold, in words; None where one can."""
        return self.reply.clash(rationale)

    def slots(self, responses: int) -> tuple[str, ...]:
        """The keys of a judgment's `distribution`, of so many responses in the order shown.

        "verdict" of a choice, "1", "2" of scores, and "1/clarity" of scores by criterion.
        """
        if not self.scored:
            return ("verdict",)
        places = [str(place) for place in range(1, responses + 1)]
        if self.by_criterion:
            return tuple(f"{place}/{name}" for place in places for name in self.criteria)
        return tuple(places)

    def criteria_for(self, question: Question) -> tuple[str, ...]:
        """What the scores of a reply about this question are about; nothing where it is one score.

        Raises DataError where the question should name criteria and does not.
        """
        if self.criteria or not self.by_criterion:
            return self.criteria
        given = question.task.get("criteria")
        if not isinstance(given, list) or not given or not all(isinstance(c, str) for c in given):
            raise DataError(
                f"question {question.id}: dialect {self.name!r} scores the criteria that a "
                f"question names, so expected a list of names in its field 'criteria', found "
                f"{given!r}. Give each question its criteria, or name them in the dialect."
            )
        return tuple(str(name) for name in given)

    def expected(
        self, responses: int | None = None, criteria: tuple[str, ...] | None = None
    ) -> Expected:
        """What kind of verdict a reply about so many responses holds."""
        if responses is None:
            responses = {Kind.SINGLE: 1, Kind.PAIR: 2, Kind.LIST: None}[self.kind]
        named = self.criteria if criteria is None else criteria
        return Expected(self.wording, self.scored, responses, named if self.by_criterion else None)

    def read(self, text: str, finish: Finish, expected: Expected) -> Reading:
        """What a reply says; see `judging.parse.parse_reply`."""
        if finish is Finish.REFUSED:
            return Reading(Status.REFUSED, None, None)
        if finish is Finish.FAILED:
            return Reading(Status.CALL_FAILED, None, None)
        return read(self.reply, expected, text, finish)

    def answers_first(self, question: Question) -> bool:
        """Whether the judge is asked for a reference: it may be, and the question brings none."""
        return self.reference_user is not None and question.reference is None

    def write_reply(self, rationale: str, verdict: str | Verdict) -> str:
        """The reply a judge should give; `parse_reply` gives back verdict and stripped rationale.

        A text or choice as verdict is the one value of the scale. A reply form without a place for
        the rationale leaves it out; `writing.NEUTRAL` is one that every dialect can hold.

        Raises ValueError when the verdict is not on the scale, or the rationale would make the
        reply ambiguous.
        """
        if isinstance(verdict, Ranking):
            raise ValueError(f"expected a choice or scores, found {verdict!r}")
        count = len(verdict.values) if isinstance(verdict, Scores) else None
        shown = self.expected().responses
        if self.kind is not Kind.LIST and count not in (None, shown):
            raise ValueError(f"expected scores of {shown} responses, found {verdict!r}")
        return write(self.reply, self.expected(count), rationale, verdict)

    def rewritten(self, reply: str, rationale: str, verdict: str) -> str | None:
        """A reply with another rationale and verdict, and all else as it is.

        None for a reply that cannot be read, or could not be read back so.
        """
        return rewrite(self.reply, self.expected(), reply, rationale, verdict)

    def shows(self, name: str) -> bool:
        """Whether the prompt has a place for it: `reference`, `grounding`, `fields`."""
        return name in names_in(self.user)


def require_direction(labels: Iterable[Label], dialect: Dialect, *, setting: str) -> None:
    """Refuse a dialect, named in the recipe at `setting`, that reads the labels' letters reversed.

    Raises DataError naming both directions.
    """
    for label in labels:
        if label.direction is not dialect.direction:
            raise DataError(
                f"labels/labels.jsonl: a verdict names the {label.direction} response, in "
                f"{setting} {dialect.name!r} the {dialect.direction} one. Choose a dialect of the "
                "labels' direction."
            )


def require_dialect(
    hashes: Iterable[str], dialect: Dialect, *, path: str, setting: str,
    known: Mapping[str, Dialect],
) -> None:  # fmt: skip
    """Refuse rows of the file at `path` in another dialect than the recipe names at `setting`.

    `known` are the dialects that the recipe can name, by hash. Raises DataError naming both.
    """
    strangers = set(hashes) - {dialect.hash}
    if strangers:
        raise DataError(
            f"{path}: rows were written in {names_of(strangers, known)}, not in {setting} = "
            f"{dialect.name!r}. Train and judge in the dialect of the rows."
        )


def names_of(hashes: Iterable[str], known: Mapping[str, Dialect]) -> str:
    """Dialects by their names; one that has changed since, or is not known, by its hash.

    >>> names_of(["23647ae700be3458"], {})
    'a dialect that has changed since (23647ae700be3458)'
    """
    found = (
        repr(known[one].name) if one in known else f"a dialect that has changed since ({one})"
        for one in sorted(hashes)
    )  # fmt: skip
    return ", ".join(found)
