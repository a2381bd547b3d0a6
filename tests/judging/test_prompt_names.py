"""Reasons call the responses what the prompt calls them."""

import pytest

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.prompt_names import called, nouns_of, renamed
from judgesmith.judging.words import verdict_in_words
from judgesmith.tasks.bias.dialects import DIALECTS

LOOP = "{{% for r in responses %}}{0}{{% endfor %}}"


def dialect(user: str, **changes: object) -> Dialect:
    fields = {"kind": "pair", "scale": ["A", "B"], "direction": "better", **changes}
    return Dialect(name="d", user=user, **fields)


@pytest.mark.parametrize(
    ("user", "names"),
    [
        (LOOP.format("[Assistant {{ loop.index }}]"), ("Assistant 1", "Assistant 2")),
        (LOOP.format("Essay #{{loop.index}}: {{ r.text }}"), ("Essay 1", "Essay 2")),
        (LOOP.format("## Output ({{ r.letter }})"), ("Output A", "Output B")),
        (
            "Story A: {{ responses[0].text }} Story B: {{ responses[1].text }}",
            ("Story A", "Story B"),
        ),
        (LOOP.format("{{ r.text }}"), ("Response A", "Response B")),
        (LOOP.format("{{ r.letter }}: {{ r.text }}"), ("Response A", "Response B")),
        (LOOP.format("text of {{ loop.index }}"), ("Response A", "Response B")),
        (
            "{% for c in choices %}Option {{ c.letter }}{% endfor %}" + LOOP.format("{{ r.text }}"),
            ("Response A", "Response B"),
        ),
    ],
)  # fmt: skip
def test_the_prompt_says_how_responses_are_called(user: str, names: tuple[str, str]) -> None:
    found = called(dialect(user))
    assert (found.name(0), found.name(1)) == names


def test_the_words_of_a_verdict_are_names_as_well() -> None:
    own = dialect("", say={"A": "Feedback 1", "B": "Feedback 2"})
    assert nouns_of(own) == ("response", "feedback")
    assert nouns_of(LIBRARY["judgelm"]) == ("assistant",)
    for each in DIALECTS.values():
        assert nouns_of(each) == ("response",)


def test_what_is_said_of_a_verdict_uses_them() -> None:
    numbered = dialect(LOOP.format("Assistant {{ loop.index }}"))
    assert "Assistant 2 is the BETTER one" in verdict_in_words(numbered, "B")
    assert renamed("Response A gets 1 of 2, Response B 2.", numbered) == (
        "Assistant 1 gets 1 of 2, Assistant 2 2."
    )
    # A bare letter may be an answer's, and nobody could tell any more.
    assert renamed("Response A chooses B.", numbered) == "Response A chooses B."
