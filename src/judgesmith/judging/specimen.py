"""A dialect's prompt tried on a question that has everything, before any question is asked."""

from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.templates import FAULTS, environment, named, names_in
from judgesmith.records import LETTERS, Kind

_SHOWN = {Kind.SINGLE: 1, Kind.PAIR: 2, Kind.LIST: 3}
_TEXT = "specimenof{}"


class _Any(str):
    """A field of a question as it may be: a text whose every part is one, too."""

    def __getattr__(self, name: str) -> "_Any":
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def _lenient() -> SandboxedEnvironment:
    made = environment()
    made.filters |= {
        "required": lambda value, name: value,
        "exactly": lambda value, count, name: (_listed(value) * count)[:count],
    }
    return made


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


_ENVIRONMENT = _lenient()


def check_prompt(dialect: Dialect) -> None:
    """Refuse a dialect whose prompt cannot be rendered, or leaves out a response that is judged.

    A template that reads a question's own fields may fail for what nobody can know here; it is then
    only held to name the responses.

    Raises:
        ValueError: naming the dialect and the reason.
    """
    rendered = _rendered(dialect, "user", dialect.user)
    if dialect.reference_user is not None:
        _rendered(dialect, "reference_user", dialect.reference_user)
    if "responses" not in names_in(dialect.user):
        raise ValueError(
            f"dialect {dialect.name!r}: `user` shows no response, so nothing could be judged by "
            "it. Show each, such as {% for response in responses %}{{ response.letter }}: "
            "{{ response.text }}{% endfor %}."
        )
    missing = [i for i in range(_SHOWN[dialect.kind]) if _text(i) not in (rendered or _text(i))]
    if missing:
        raise ValueError(
            f"dialect {dialect.name!r}: `user` does not show the text of response "
            f"{LETTERS[missing[0]]} ({dialect.kind.value} dialects show "
            f"{_SHOWN[dialect.kind]} or more). Show responses[{missing[0]}].text."
        )


def _text(position: int) -> str:
    return _TEXT.format(LETTERS[position].lower())


def _rendered(dialect: Dialect, field: str, source: str) -> str | None:
    """The prompt in small letters; None where it depends on fields that nobody knows."""
    reads_fields = "fields" in names_in(source)
    texts = [_text(i) for i in range(_SHOWN[dialect.kind])]
    shown: dict[str, Any] = {"responses": named(texts)} if field == "user" else {}
    try:
        return _ENVIRONMENT.from_string(source).render(
            context="context", question="question", choices=named(list(LETTERS.lower())),
            reference="reference", grounding="grounding", fields=_Any("field"),
            criteria=dialect.criteria or ("one", "two", "three", "four", "five"), **shown,
        ).casefold()  # fmt: skip
    except FAULTS as error:
        parts = ".split(" in source and "has no element" in str(error)
        if reads_fields or parts:
            return None
        raise ValueError(
            f"dialect {dialect.name!r}: `{field}` cannot be rendered for a question that has all "
            f"it may show: {type(error).__name__}: {error}."
        ) from None
