"""What a review consists of: items, people, answers, and what is made of them."""

from dataclasses import dataclass
from typing import Literal

from judgesmith.errors import JudgesmithError
from judgesmith.judging.scale import Scale
from judgesmith.records import AnnotatorKind, Direction, Kind, Status, Verdict

Round = Literal["label", "calibration", "repeat", "adjudicate"]
Answered = Literal["verdict", "cannot_decide", "bad_item", "skip"]
SaidRole = Literal["teacher", "judge", "label"]
Queue = Literal["stratified", "active"]

LABEL, ADJUDICATE, OWNER = "label", "adjudicate", "owner"
ROLES = (LABEL, ADJUDICATE, OWNER)


class ConflictError(JudgesmithError):
    """Another answer was saved first; `current` is that answer, None where it was taken back."""

    def __init__(self, current: "Answer | None") -> None:
        super().__init__("Another answer was saved first, perhaps in another tab.")
        self.current = current


class WithheldError(JudgesmithError):
    """What was asked for is shown after the own answer only."""


@dataclass(frozen=True)
class Said:
    """What somebody says of an item, in item order.

    `role` is teacher, judge or label; `judge` are students and judges that were measured. `alone`
    is the response that was judged by itself, where not the whole item was; `swapped` says that
    the two responses of a pair stood the other way round.
    """

    by: str
    role: SaidRole
    status: Status
    verdict: Verdict | None
    confidence: float | None = None
    rationale: str | None = None
    alone: int | None = None
    swapped: bool = False


@dataclass(frozen=True)
class Gold:
    """What an item's verdict should be, in item order, and why."""

    verdict: Verdict
    reason: str | None = None


@dataclass(frozen=True)
class ReviewItem:
    """An item with all that is known of it; `responses` are in item order.

    What stands from `bucket` on is withheld until the own answer. `name` is what the source calls
    it, `response_ids` are those of a run's records. `stratum` is the cell it is drawn from, `size`
    how much an active queue should prefer it, above 0. `details` are the question's own part
    of the rubric: (name, text), such as the criterion.
    """

    id: str
    name: str
    kind: Kind
    cluster: str
    question: str
    responses: tuple[str, ...]
    context: str | None = None
    choices: tuple[str, ...] | None = None
    reference: str | None = None
    grounding: str | None = None
    criteria: tuple[str, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    response_ids: tuple[str, ...] = ()
    bucket: str | None = None
    category: str | None = None
    split: str | None = None
    generators: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    gold: Gold | None = None
    stratum: str = "all"
    size: float = 1.0


@dataclass(frozen=True)
class About:
    """What a review is about; `adjective` is what is judged in one word, such as "biased".

    `source_hash` is that of the file that names the source's items, empty where none does alone;
    `splits` are those of a run that they were taken from.
    """

    name: str
    source: str
    kind: Kind
    rubric: str
    direction: Direction | None
    scale: Scale
    adjective: str | None
    dialect: str
    dialect_hash: str
    items: int = 0
    from_run: bool = False
    source_hash: str = ""
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How a review is done.

    Attributes:
        seed: of every draw.
        overlap: how many people label each item.
        queue: in which order items come; see `assigning`.
        repeats: share of a person's items that come again, 0 to 1.
        calibration: gold items that everybody answers first, with feedback.
        half_width: of the interval of agreement that the review aims at.
    """

    seed: int = 11
    overlap: int = 1
    queue: Queue = "stratified"
    repeats: float = 0.0
    calibration: int = 0
    half_width: float = 0.1


@dataclass(frozen=True)
class Progress:
    """How much of what somebody was given, or may be given, is answered."""

    done: int
    total: int


@dataclass(frozen=True)
class Annotator:
    """Somebody who works on a review; `kind` is person or simulated."""

    name: str
    kind: AnnotatorKind
    roles: frozenset[str]
    progress: Progress = Progress(0, 0)


@dataclass(frozen=True)
class Answer:
    """What somebody said of an item; the verdict is in the order shown.

    `id` is made by who sends it, so that it can be sent again. `replaces` is the answer that it was
    made in sight of. `confidence` is 0 to 1, `seconds` the time that the item was worked on.
    """

    id: str
    item_id: str
    outcome: Answered
    verdict: Verdict | None
    confidence: float | None
    note: str
    seconds: float
    replaces: str | None
    round: Round = "label"


@dataclass(frozen=True)
class Shown:
    """An item as one annotator sees it: own slot order, own answer, nothing withheld."""

    item_id: str
    kind: Kind
    question: str
    context: str | None
    choices: tuple[str, ...] | None
    reference: str | None
    grounding: str | None
    responses: tuple[str, ...]
    letters: tuple[str, ...]
    criteria: tuple[str, ...]
    details: tuple[tuple[str, str], ...]
    round: Round
    answer: Answer | None
    place: tuple[int, int]


@dataclass(frozen=True)
class Done:
    """An item that somebody answered."""

    item_id: str
    round: Round
    question: str
    answer: Answer


@dataclass(frozen=True)
class Saved:
    """An answer that is on disk."""

    id: str
    item_id: str


@dataclass(frozen=True)
class Feedback:
    """What a calibration item should have been, in the order shown, beside the own answer."""

    gold: Verdict
    own: Verdict | None
    right: bool
    reason: str | None


@dataclass(frozen=True)
class PersonSaid:
    """What an annotator answered, in item order."""

    by: str
    kind: AnnotatorKind
    round: Round
    answered: Answered
    verdict: Verdict | None
    confidence: float | None
    note: str


@dataclass(frozen=True)
class Revealed:
    """Everything about an item, in item order, after the own answer."""

    item: ReviewItem
    people: tuple[PersonSaid, ...]
    outcome: "Outcome | None"


@dataclass(frozen=True)
class Outcome:
    """What an adjudication came to, in item order; without a verdict the item is a bad one."""

    id: str
    item_id: str
    verdict: Verdict | None
    reason: str
    tag: str | None
    replaces: str | None
    by: str = ""
