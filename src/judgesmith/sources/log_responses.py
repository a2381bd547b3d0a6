"""The responses that a row of a log holds."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from judgesmith.records import Finish, JsonScalar
from judgesmith.sources import Dropped
from judgesmith.sources.log_mapping import FINISHES, LoggedResponse
from judgesmith.sources.log_values import read_name, read_text, scalar
from judgesmith.sources.templates import (
    ABSENT,
    Row,
    RowProblem,
    compile_template,
    shorten,
    spell,
)
from judgesmith.sources.votes import compile_each

NO_RESPONSE = "the row has no response"
NO_TEXT = "the response ended by itself and has no text"


class Written(NamedTuple):
    """One response as a row gives it."""

    model: str
    text: str
    finish: Finish
    sampling: dict[str, JsonScalar]
    licence: str
    id: str | None

    def content(self) -> tuple[Any, ...]:
        """What makes it this response."""
        return self.model, self.text, self.finish.value, self.sampling


class ResponseColumns:
    """One entry of a mapping's `responses`, compiled.

    A row with neither a text nor a reason why it ended holds no response. One without text that
    was refused, failed or was cut off is a response; one that ended by itself is not.
    """

    def __init__(self, spec: LoggedResponse, licence: str) -> None:
        self._spec = spec
        self._each = compile_each(spec.each) if spec.each else None
        self._model = read_name(
            spec.model,
            what="the name of the model that wrote the response",
            hint="Where the log does not say it, write it into the mapping: `model: my-model`.",
        )
        self._text = read_text(spec.text)
        self._finish = None if spec.finish is None else compile_template(spec.finish).find
        self._sampling = [
            (name, text, compile_template(text).get) for name, text in spec.sampling.items()
        ]
        self._licence = read_name(
            licence if spec.licence is None else spec.licence,
            what="the terms of use",
            hint="Write them into the mapping: `licence`.",
        )
        self._id = read_text(spec.id)

    def read(self, row: Row) -> Iterator[Written | Dropped]:
        """The responses of a row, or why it has none.

        Raises RowProblem, or KeyError for a column that is not there.
        """
        if self._each is None:
            yield self._one(row)
            return
        own = dict(row)
        empty = True
        for _ in self._each(own):
            empty = False
            yield self._one(own)
        if empty:
            yield Dropped(NO_RESPONSE)

    def _one(self, row: Row) -> Written | Dropped:
        text = self._text(row) or ""
        raw = ABSENT if self._finish is None else self._finish(row)
        if not text.strip():
            if spell(raw) not in self._spec.read and raw in (None, "", ABSENT):
                return Dropped(NO_RESPONSE)
            if self._ended(raw) is Finish.STOP:
                return Dropped(NO_TEXT)
        sampling = {name: scalar(get(row), template) for name, template, get in self._sampling}
        return Written(
            model=self._model(row),
            text=text,
            finish=self._ended(raw),
            sampling={name: value for name, value in sampling.items() if value is not None},
            licence=self._licence(row),
            id=self._id(row),
        )

    def _ended(self, raw: Any) -> Finish:
        spelled = spell(raw)
        found = self._spec.read.get(spelled) or FINISHES.get(spelled.lower())
        if found is None and raw is ABSENT:
            return Finish.STOP
        if found is None:
            raise RowProblem(
                f"{self._spec.finish}: expected why the response ended, found {shorten(raw)}. "
                f"Known are {', '.join(FINISHES)}. Say in the mapping what this one means, one of "
                f"{', '.join(Finish)}: `read: {{{orjson.dumps(spelled).decode()}: stop}}`."
            )
        return found
