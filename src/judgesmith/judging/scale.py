"""The allowed verdicts, and how a reply writes them."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judgesmith.records import TIE

_PLACES = 6
_MANY = 1000
_FAR = 10**9


class Scale(BaseModel):
    """The allowed verdicts: a closed set of choices, or scores from `low` to `high` by `step`.

    A plain list is short for its choices: `["A", "B", "TIE"]`.

    >>> Scale(low=1, high=2, step=0.5).values
    ('1', '1.5', '2')
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    choices: tuple[str, ...] | None = None
    low: int | None = Field(None, ge=-_FAR, le=_FAR)
    high: int | None = Field(None, ge=-_FAR, le=_FAR)
    step: float = Field(1.0, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return given
        return {"choices": [as_text(one) for one in given]}

    @model_validator(mode="after")
    def _one_form(self) -> "Scale":
        ranged = self.low is not None and self.high is not None and self.low < self.high
        given = self.low is not None or self.high is not None
        if given if self.choices is not None else not ranged:
            raise ValueError("a scale is either `choices`, or `low` and `high` with low < high")
        if self.choices is not None:
            self._check_choices(self.choices)
            if self.step != 1:
                raise ValueError("`step` belongs to `low` and `high`, not to `choices`")
        else:
            self._check_step()
        return self

    @staticmethod
    def _check_choices(choices: tuple[str, ...]) -> None:
        for written in choices:
            if written != written.strip() or not written or set("<>") & set(written):
                raise ValueError(f"the parser could not read the choice {written!r} back")
        if len({written.casefold() for written in choices}) < max(2, len(choices)):
            raise ValueError(f"expected two or more different choices, found {choices!r}")

    def _check_step(self) -> None:
        assert self.low is not None
        assert self.high is not None
        steps = (self.high - self.low) / self.step
        if steps > _MANY or abs(steps - round(steps)) > 10**-_PLACES:
            raise ValueError(
                f"expected at most {_MANY} steps of {self.step:g} that lead from {self.low} to "
                f"{self.high}, found {steps:g}"
            )

    @property
    def values(self) -> tuple[str, ...]:
        """All allowed verdicts as text, in scale order."""
        if self.choices is not None:
            return self.choices
        assert self.low is not None
        assert self.high is not None
        steps = round((self.high - self.low) / self.step)
        return tuple(number_text(self.low + i * self.step) for i in range(steps + 1))

    def share(self, score: float) -> float:
        """Where a score lies between `low` (0) and `high` (1).

        (score - low) / (high - low). TrustJudge (arXiv 2509.21117) prints a factor alone, which
        moves the scores of every scale that does not begin at 0.

        >>> Scale(low=1, high=5).share(3.0), Scale(low=1, high=5).share(1.0)
        (0.5, 0.0)
        """
        assert self.low is not None
        assert self.high is not None
        return (score - self.low) / (self.high - self.low)

    @property
    def has_tie(self) -> bool:
        """Whether the scale has a tie."""
        return TIE in self.values


PAIR_SCALE = Scale(choices=("A", "B", TIE))


def number_text(value: float) -> str:
    """A score as a reply writes it.

    >>> number_text(8.0), number_text(8.5)
    ('8', '8.5')
    """
    return f"{round(value, _PLACES):.{_PLACES}f}".rstrip("0").rstrip(".")


def as_text(given: Any) -> Any:
    """A number of a YAML file as the text that it is; anything else as it stands."""
    return str(given) if isinstance(given, int | float) and not isinstance(given, bool) else given


class Wording:
    """How a reply writes each value of a scale: by itself, or in the words of `say`.

    Letter case and outer white space do not matter in reading, unless two values differ in
    nothing but case. `spell` gives the spelling in which words are compared.

    Raises ValueError for words that could not be read back.
    """

    def __init__(
        self, scale: Scale, say: Mapping[str, str] | None, spell: Callable[[str], str] = str
    ) -> None:
        said = dict(say or {})
        strange = sorted(said.keys() - set(scale.values))
        if strange:
            raise ValueError(
                f"`say`: expected values of the scale ({', '.join(scale.values)}), found "
                f"{strange[0]!r}"
            )
        self.of: dict[str, str] = {value: said.get(value, value) for value in scale.values}
        self._value = {spell(words): value for value, words in self.of.items()}
        for words in self.of.values():
            if words != words.strip() or not words:
                raise ValueError(f"`say`: the parser could not read {words!r} back")
        if len(self._value) < len(self.of):
            raise ValueError(f"`say`: two values are written alike: {self.of}")
        folded = {words.casefold(): value for words, value in self._value.items()}
        self._folded = folded if len(folded) == len(self.of) else {}
        self.longest = max(len(words.split()) for words in self._value)

    def value(self, written: str) -> str | None:
        """The value that words stand for; None where it is none.

        >>> Wording(PAIR_SCALE, {"A": "Response 1"}).value(" response 1 ")
        'A'
        """
        words = written.strip()
        return self._value.get(words) or self._folded.get(words.casefold())

    def goes_on(self, written: str) -> bool:
        """Whether the words, cut off, may be the start of longer ones: "1" of "10"."""
        words = written.strip().casefold()
        return any(
            len(form) > len(words) and form.casefold().startswith(words) for form in self._value
        )
