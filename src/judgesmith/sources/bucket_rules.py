"""How a bucket is filled: a rule as a recipe writes it, and in words."""

from pydantic import Field

from judgesmith.records import JsonScalar
from judgesmith.runs.recipe import Section


class Range(Section):
    """Bounds on a number, both included."""

    min: float | None = None
    max: float | None = None

    def holds(self, value: object) -> bool:
        """Whether a value is a number inside the bounds."""
        if not isinstance(value, int | float):
            return False
        above = self.min is None or value >= self.min
        return above and (self.max is None or value <= self.max)


Pattern = dict[str, JsonScalar | Range]
"""What the task fields of a response, or of a question, must be: a value, or a range."""


class BucketRule(Section):
    """How a bucket is filled.

    One response matches `first`, the other `second`, and their question `question`. `ratio` asks
    that a number of the first is at least so many times that of the second; `differs` that the two
    have different values of a field; `other_generator` that different models wrote them. A `quota`
    of null takes all there are, and then only an empty bucket is short.
    """

    name: str
    subtype: str | None = None
    question: Pattern = Field(default_factory=dict)
    first: Pattern
    second: Pattern
    differs: tuple[str, ...] = ()
    ratio: dict[str, float] = Field(default_factory=dict)
    other_generator: bool = True
    quota: int | None = Field(ge=0)
    cap_per_question: int = Field(4, gt=0)

    @property
    def label(self) -> str:
        """Bucket and subtype as one name."""
        return self.name if self.subtype is None else f"{self.name}/{self.subtype}"


def ingredients(rule: BucketRule) -> str:
    """What a bucket's items are made of, in words: what to generate more of when it is short.

    >>> second = {"words": {"min": 5}}
    >>> rule = BucketRule(name="x", first={"class": "biased"}, second=second, quota=1)
    >>> ingredients(rule)
    'responses with class = biased beside responses with words >= 5'
    >>> ingredients(rule.model_copy(update={"question": {"form": "long"}, "differs": ("letter",)}))
    'responses with class = biased beside responses with words >= 5 and another letter, to questions
    with form = long'
    >>> ingredients(rule.model_copy(update={"first": {}, "second": {}}))
    'responses beside others of other models'
    """
    first, second = (
        ("responses with " if pattern else "responses")
        + ", ".join(_condition(*entry) for entry in pattern.items())
        for pattern in (rule.first, rule.second)
    )
    if not rule.second:
        second = "others of other models" if rule.other_generator else "others"
    another = "".join(f" and another {field}" for field in rule.differs)
    asked = ", ".join(_condition(*entry) for entry in rule.question.items())
    return f"{first} beside {second}{another}" + (f", to questions with {asked}" if asked else "")


def _condition(field: str, wanted: JsonScalar | Range) -> str:
    if not isinstance(wanted, Range):
        return f"{field} = {str(wanted).lower() if isinstance(wanted, bool) else wanted}"
    bounds = ((">=", wanted.min), ("<=", wanted.max))
    return " and ".join(f"{field} {sign} {value:g}" for sign, value in bounds if value is not None)
