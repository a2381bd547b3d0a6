"""The data, as types, in the order it is made. Read this file first.

    Question -> Response -> Item -> Judgment -> Label -> SftRow, PreferenceRow

Records are frozen and strict: every field must be present when a record is read (unknown is
`null`, never left out) and no other field may be there. An id is a hash of what determines the
record, so the same content has the same id on every machine and in any order. Records hold no
clock, no cost and no path. Derived facts (`task` fields, `bucket`, `split`) have exactly one
producer: the task's `annotate_*` functions, the items stage and the split stage.
"""

import hashlib
import random
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1
"""Number of the record schema; written into every manifest and checked when a file is read."""

JsonScalar = str | int | float | bool | None
TaskFields = dict[str, JsonScalar | list[JsonScalar]]


def content_id(*parts: object) -> str:
    """First 16 hex digits of the SHA-256 of the parts as canonical JSON.

    >>> content_id("a", 1) == content_id("a", 1)
    True
    >>> content_id("a", 1) == content_id("a", "1")
    False
    """
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def keyed_rng(seed: int, *key: object) -> random.Random:
    """A generator for one decision about one record, whatever else was drawn before.

    Results then do not depend on the order of records, on sharding or on the number of workers.

    >>> keyed_rng(1, "slot", "q1").random() == keyed_rng(1, "slot", "q1").random()
    True
    >>> keyed_rng(1, "slot", "q1").random() == keyed_rng(2, "slot", "q1").random()
    False
    """
    return random.Random(content_id(seed, *key))


class Kind(StrEnum):
    """What a judge is shown of a question: one response, two, or several."""

    SINGLE = "single"
    PAIR = "pair"
    LIST = "list"


class Finish(StrEnum):
    """How a reply ended: by itself, at the token limit, by refusing, or not at all."""

    STOP = "stop"
    LENGTH = "length"
    REFUSED = "refused"
    FAILED = "failed"


class Status(StrEnum):
    """Whether a judgment has a verdict, and if not, why not."""

    PARSED = "parsed"
    NO_VERDICT = "no_verdict"
    SEVERAL_VERDICTS = "several_verdicts"
    OFF_SCALE = "off_scale"
    TRUNCATED = "truncated"
    TOO_LONG = "too_long"
    REFUSED = "refused"
    CALL_FAILED = "call_failed"
    ABSTAINED = "abstained"
    BAD_ITEM = "bad_item"


class Split(StrEnum):
    """Which side of the split an item is on; `held_out` is the test side of held-out categories."""

    TRAIN = "train"
    DEV = "dev"
    TEST = "test"
    HELD_OUT = "held_out"


class AnnotatorKind(StrEnum):
    """Who stands behind a label."""

    PERSON = "person"
    MODEL = "model"
    KEY = "key"
    SIMULATED = "simulated"

    @property
    def rehearsed(self) -> "AnnotatorKind":
        """Who stands behind it in a rehearsal: simulated models stand for real ones."""
        return AnnotatorKind.SIMULATED if self is AnnotatorKind.MODEL else self


class Direction(StrEnum):
    """What a verdict's letter names: the better response, or the worse one."""

    BETTER = "better"
    WORSE = "worse"


class Choice(BaseModel):
    """A verdict out of a closed set, such as A, B or TIE; letters follow the order shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["choice"]
    value: str


class Scores(BaseModel):
    """One score per response in the order shown; `criteria` holds the same per criterion."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    kind: Literal["scores"]
    values: tuple[float, ...]
    criteria: dict[str, tuple[float, ...]] | None


class Ranking(BaseModel):
    """Positions in the order shown, best first; positions that tie share a group."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["ranking"]
    groups: tuple[tuple[int, ...], ...]


Verdict = Annotated[Choice | Scores | Ranking, Field(discriminator="kind")]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TIE = "TIE"


def choice(value: str) -> Choice:
    """A choice verdict: `choice("A")`."""
    return Choice(kind="choice", value=value)


def reorder(verdict: Choice | Scores | Ranking, order: tuple[int, ...]) -> Verdict:
    """The verdict in item order, given in shown order (and, for two responses, the reverse).

    `order[p]` is the item position of the response shown at position p. A verdict on one response
    shown alone stays as it is.

    >>> reorder(choice("A"), (1, 0)).value
    'B'
    >>> reorder(choice("TIE"), (1, 0)).value
    'TIE'
    >>> reorder(Scores(kind="scores", values=(7.0, 3.0), criteria=None), (1, 0)).values
    (3.0, 7.0)
    """
    if len(order) == 1:
        return verdict
    if isinstance(verdict, Choice):
        return choice(_letter(verdict.value, order))
    if isinstance(verdict, Ranking):
        groups = tuple(tuple(order[p] for p in group) for group in verdict.groups)
        return Ranking(kind="ranking", groups=groups)
    back = [order.index(position) for position in range(len(order))]
    criteria = verdict.criteria and {
        name: tuple(values[p] for p in back) for name, values in verdict.criteria.items()
    }
    return Scores(kind="scores", values=tuple(verdict.values[p] for p in back), criteria=criteria)


def _letter(value: str, order: tuple[int, ...]) -> str:
    """The letter, in item order, of the response that a letter names in shown order."""
    shown = LETTERS.find(value) if len(value) == 1 else -1
    return LETTERS[order[shown]] if 0 <= shown < len(order) else value


class Record(BaseModel):
    """What all records share: an id by content, where it comes from, and its licence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    DETERMINED_BY: ClassVar[tuple[str, ...]]

    id: str
    source: str
    licence: str

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """Build a record and its id from the fields that determine it."""
        probe = cls(id="", **fields)
        return probe.model_copy(update={"id": probe.computed_id()})

    def computed_id(self) -> str:
        """The id that the record's own content gives."""
        content = self.model_dump(mode="json", include=set(self.DETERMINED_BY))
        return content_id(type(self).__name__, content)

    def with_fields(self, **fields: Any) -> Self:
        """A copy with other values in fields that do not determine the id."""
        fixed = set(fields) & {"id", *self.DETERMINED_BY}
        if fixed:
            raise ValueError(f"{sorted(fixed)} and the id belong together; make a new record")
        return type(self).model_validate({**self.model_dump(), **fields})


R = TypeVar("R", bound=Record)


class Question(Record):
    """What a responding model was asked.

    `group_id` must stay on one side of a split; `template_id` does too at the stricter level.
    `key` is the index of the right choice. `task` fields come from the source and from the task's
    `annotate_question`.

    Where the template is the criterion that responses are judged by (`criterion_template`), the
    rubric in `task`, `criterion` and `levels`, determines the question as well: one text under two
    rubrics is two questions, of one group.
    """

    DETERMINED_BY = ("source", "group_id", "context", "text", "choices", "reference", "grounding")

    group_id: str
    template_id: str | None
    category: str | None
    context: str | None
    text: str
    choices: tuple[str, ...] | None
    key: int | None
    reference: str | None
    grounding: str | None
    task: TaskFields

    def computed_id(self) -> str:
        """The id that the content gives, with the rubric where that is the template."""
        plain = super().computed_id()
        criterion = self.task.get("criterion")
        if not isinstance(criterion, str) or self.template_id != criterion_template(criterion):
            return plain
        return content_id(
            plain, {n: self.task[n] for n in ("criterion", "levels") if n in self.task}
        )


def criterion_template(criterion: str) -> str:
    """The template of questions that are judged by a criterion; case and spacing do not count.

    >>> criterion_template("Is it true?") == criterion_template("is it  true?")
    True
    """
    return f"criterion/{content_id(' '.join(criterion.split()).casefold())}"


class Response(Record):
    """One model's text for one question: who wrote it, how it was sampled, how it ended."""

    DETERMINED_BY = ("question_id", "model", "sampling", "text", "finish")

    question_id: str
    model: str
    sampling: dict[str, JsonScalar]
    text: str
    finish: Finish
    task: TaskFields


class Item(Record):
    """What a judge is shown: a question with one, two or several responses in a stored order.

    The id does not depend on the order. `subtype` is a finer cell inside the bucket.
    """

    DETERMINED_BY = ("kind", "question_id", "response_ids")

    kind: Kind
    question_id: str
    response_ids: tuple[str, ...]
    bucket: str
    subtype: str | None
    split: Split | None

    def computed_id(self) -> str:
        """The id, the same in whatever order the responses are shown."""
        return content_id("Item", self.kind, self.question_id, sorted(self.response_ids))


class Judgment(Record):
    """One act of judging an item. `verdict` is in the order shown; see `in_item_order`.

    `order[p]` is the item position of the response shown at position p, so (1, 0) is the swapped
    pair. `distribution` maps a slot ("verdict" for a choice, "1" for the first response's score,
    "1/clarity" for its score on a criterion) to the probability of each value on the scale.
    `reference` is the judge's own answer to the question, where it was asked for one first.
    """

    DETERMINED_BY = ("item_id", "judge", "dialect", "order", "sample")

    item_id: str
    judge: str
    dialect: str
    order: tuple[int, ...]
    sample: int
    reply: str | None
    rationale: str | None
    verdict: Verdict | None
    distribution: dict[str, dict[str, float]] | None
    status: Status
    reference: str | None

    def in_item_order(self) -> Choice | Scores | Ranking | None:
        """The verdict as if the responses had been shown in the item's stored order."""
        return None if self.verdict is None else reorder(self.verdict, self.order)

    def distribution_in_item_order(self) -> dict[str, float] | None:
        """Probabilities of a choice verdict, keyed by the letters of the item's stored order."""
        shown = (self.distribution or {}).get("verdict")
        if shown is None:
            return None
        if len(self.order) == 1:
            return dict(shown)
        return {_letter(value, self.order): p for value, p in shown.items()}


class Label(Record):
    """The verdict accepted as supervision for an item, in item order, and how it was chosen."""

    DETERMINED_BY = ("item_id", "policy", "annotator_kind", "annotator")

    item_id: str
    verdict: Verdict
    direction: Direction | None
    confidence: float | None
    policy: str
    judgment_ids: tuple[str, ...]
    annotator_kind: AnnotatorKind
    annotator: str


class Message(BaseModel):
    """One turn of a chat."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: str


class SftRow(Record):
    """One supervised example: the item as shown in `order`, and the reply to learn."""

    DETERMINED_BY = ("item_id", "order", "dialect", "completion")

    item_id: str
    order: tuple[int, ...]
    split: Split
    dialect: str
    prompt: tuple[Message, ...]
    completion: str


class PreferenceRow(Record):
    """One preference example: the same prompt with a better and a worse reply."""

    DETERMINED_BY = ("item_id", "order", "dialect", "chosen", "rejected")

    item_id: str
    order: tuple[int, ...]
    split: Split
    dialect: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    how_made: str


def index_by_id(records: Iterable[R]) -> dict[str, R]:
    """Records by their id."""
    return {record.id: record for record in records}
