"""Replies that are one JSON object."""

import json
import re
from collections.abc import Iterable
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from judgesmith.judging.forms.found import Found, Written
from judgesmith.records import Status

_FENCED = re.compile(r"```(?:json)?[ \t]*\r?\n(.*)\n[ \t]*```", re.DOTALL | re.IGNORECASE)


class _Twice(ValueError):
    """A field stands in an object twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=_no_number
)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_LONE = re.compile("[\ud800-\udfff]")
"""Half a character, which JSON can spell and no file can hold."""


class Json(BaseModel):
    """One JSON object and nothing else; a code fence around the whole of it is taken off.

    `verdict` names the field of the verdict: a text or number, or a list of numbers where several
    responses are scored. `rationale` names the field of the rationale. Numbers may stand in quotes.
    Other fields are ignored; a field that stands there twice makes several verdicts.

    With `by_criterion` there is an object for each criterion instead, which holds the two fields;
    the rationale is then their rationales line by line, each after its criterion's name. A field
    `rationale` beside the criteria takes its place.
    """

    VERSION: ClassVar[int] = 1
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["json"] = "json"
    rationale: str = Field("rationale", min_length=1)
    verdict: str = Field("verdict", min_length=1)
    by_criterion: bool = False

    @model_validator(mode="after")
    def _two_fields(self) -> "Json":
        if self.rationale == self.verdict:
            raise ValueError(f"expected two different fields, found {self.rationale!r} twice")
        return self

    def opening(self, words: Iterable[str]) -> str:
        """The text right before a verdict in one of these words.

        Empty where no text is right before all of them, or a word is written otherwise: where some
        are numbers and others are not, and with lists, objects and quotation marks.
        """
        before = json.dumps(self.verdict, ensure_ascii=False) + ": "
        said = {word: json.dumps(_value(word), ensure_ascii=False) for word in words}
        if all(written == word for word, written in said.items()):
            return before
        return before + '"' if all(w == f'"{word}"' for word, w in said.items()) else ""

    @property
    def has_rationale(self) -> bool:
        """Whether a reply holds a rationale."""
        return True

    @property
    def reserved(self) -> tuple[str, ...]:
        """A rationale may hold anything: it is quoted."""
        return ()

    def clash(self, rationale: str) -> str | None:
        """Nothing that a rationale holds is taken for the verdict."""
        return None

    def write(self, rationale: str, written: Written) -> str:
        """The reply with these parts."""
        return json.dumps(self._fields(rationale, written), ensure_ascii=False)

    def find(self, text: str, criteria: tuple[str, ...] = ()) -> tuple[Found, ...]:
        """The parts of a reply; `criteria` are those it must hold, none where any will do."""
        return (self._parts(text, criteria),)

    def _parts(self, text: str, criteria: tuple[str, ...]) -> Found:
        try:
            return self._read(text, criteria)
        except RecursionError:  # nested too deep for whoever writes it down again
            return Found(Status.NO_VERDICT, None)

    def _read(self, text: str, criteria: tuple[str, ...]) -> Found:
        found = _load(text)
        if isinstance(found, Status):
            return Found(found, None)
        rationale = _text(found.get(self.rationale))
        if self.by_criterion and any(_LONE.search(name) for name in found):
            return Found(Status.NO_VERDICT, rationale)
        if self.by_criterion:
            return self._each(found, criteria, rationale)
        written = _words(found.get(self.verdict))
        status = Status.NO_VERDICT if written is None else None
        return Found(status, rationale, written, closed=True, strict=True)

    def rewrite(self, reply: str, rationale: str, written: Written) -> str | None:
        """The reply with other parts, laid out as it is; None for a layout that is not known."""
        try:
            return self._rewritten(reply, rationale, written)
        except (RecursionError, ValueError):
            return None

    def _rewritten(self, reply: str, rationale: str, written: Written) -> str | None:
        if isinstance(_load(reply), Status):
            return None
        whole = json.loads(_unfenced(reply))
        for indent in (None, 1, 2, 3, 4):
            if json.dumps(whole, ensure_ascii=False, indent=indent) == reply:
                whole.update(self._fields(rationale, written))
                return json.dumps(whole, ensure_ascii=False, indent=indent)
        return None

    def _fields(self, rationale: str, written: Written) -> dict[str, Any]:
        if not isinstance(written, dict):
            return {self.rationale: rationale, self.verdict: _value(written)}
        reasons = _apart(rationale, list(written))
        each = {
            name: {
                **({self.rationale: reasons[name]} if reasons else {}),
                self.verdict: _value(said[0] if len(said) == 1 else said),
            }
            for name, said in written.items()
        }
        return each if reasons else {self.rationale: rationale, **each}

    def _each(self, found: dict[str, Any], criteria: tuple[str, ...], whole: str | None) -> Found:
        """The verdict per criterion; one that lacks leaves none."""
        names = criteria or tuple(
            name for name, part in found.items() if isinstance(part, dict) and self.verdict in part
        )
        parts = {name: found.get(name) for name in names}
        reasons, written = {}, {}
        for name, part in parts.items():
            said = _words(part.get(self.verdict)) if isinstance(part, dict) else None
            if said is None or not isinstance(part, dict):
                return Found(Status.NO_VERDICT, whole)
            written[name] = said if isinstance(said, list) else [said]
            reasons[name] = _text(part.get(self.rationale)) or ""
        if not written:
            return Found(Status.NO_VERDICT, whole)
        rationale = whole if whole is not None or not any(reasons.values()) else together(reasons)
        return Found(None, rationale, written, closed=True, strict=True)


def together(reasons: dict[str, str]) -> str:
    r"""Reasons per criterion as one rationale, a line each.

    >>> together({"clarity": "Short.", "depth": "None."})
    'clarity: Short.\ndepth: None.'
    """
    return "\n".join(f"{name}: {reason}" for name, reason in reasons.items()).strip()


def _apart(rationale: str, names: list[str]) -> dict[str, str] | None:
    """The reasons that a rationale was put together from; None where it was not."""
    rest, reasons = rationale.strip(), {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        if not rest.startswith(f"{name}:"):
            return None
        end = len(rest) if following is None else rest.find(f"\n{following}:")
        if end < 0:
            return None
        reasons[name] = rest[len(name) + 1 : end].strip()
        rest = rest[end + 1 :]
    same = all(reasons.values()) and together(reasons) == rationale.strip()
    return reasons if same else None


def _unfenced(text: str) -> str:
    body = text.strip()
    fenced = _FENCED.fullmatch(body)
    return fenced[1].strip() if fenced else body


def _load(text: str) -> dict[str, Any] | Status:
    """The object that a text is, with numbers as text, or why it is none."""
    body = _unfenced(text)
    try:
        found, end = _DECODER.raw_decode(body)
    except _Twice:
        return Status.SEVERAL_VERDICTS
    except (ValueError, RecursionError):
        return Status.NO_VERDICT
    if not isinstance(found, dict):
        return Status.NO_VERDICT
    rest = body[end:].strip()
    if not rest:
        return found
    return Status.SEVERAL_VERDICTS if rest.startswith("{") else Status.NO_VERDICT


def _text(value: Any) -> str | None:
    return _LONE.sub("\ufffd", value).strip() or None if isinstance(value, str) else None


def _words(value: Any) -> str | list[str] | None:
    """A field's value in words: a text, several scores, or the JSON of anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return value
    return None if value is None else json.dumps(value, sort_keys=True)


def _value(written: str | list[str]) -> Any:
    """What is put in a field for words: scores as numbers, JSON as JSON, anything else as text."""
    if isinstance(written, list):
        return [_value(one) for one in written]
    if _NUMBER.fullmatch(written):
        return json.loads(written)
    return written if _structure(written) is None else json.loads(written)


def canonical(words: str) -> str:
    """Words that are a JSON list or object, in the spelling in which they are compared.

    >>> canonical('[{"rank":1, "model":"m"}]'), canonical("Response 1")
    ('[{"model": "m", "rank": "1"}]', 'Response 1')
    """
    found = _structure(words)
    try:
        return words if found is None else json.dumps(found, sort_keys=True)
    except RecursionError:
        return words


def _structure(words: str) -> Any:
    """The list or object that words are, with numbers as text; None where they are neither."""
    try:
        found = _DECODER.decode(words)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list | dict) else None
