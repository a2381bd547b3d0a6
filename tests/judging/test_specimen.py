"""A prompt that cannot be rendered, or shows nothing to judge, is refused before it is asked."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from judgesmith.errors import DataError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.render import render_prompt
from judgesmith.judging.specimen import check_prompt
from judgesmith.records import Question
from judgesmith.runs.layout import Header
from judgesmith.tasks.bias.dialects import DIALECTS

OWN = sorted((Path(__file__).parents[1] / "known_answers/dialects").glob("*.yaml"))
SHOWN = "{% for r in responses %}{{ r.letter }}: {{ r.text }}\n{% endfor %}"


def dialect(user: str, **changes: Any) -> Dialect:
    fields = {"kind": "pair", "scale": ["A", "B"], "direction": "better", **changes}
    return Dialect(name="mine", user=user, **fields)


def question(**changes: Any) -> Question:
    fields = {
        "source": "t", "licence": "t", "group_id": "g", "template_id": None, "category": None,
        "context": None, "text": "Q?", "choices": None, "key": None, "reference": None,
        "grounding": None, "task": {},
    }  # fmt: skip
    return Question.make(**{**fields, **changes})


@pytest.mark.parametrize("known", [*LIBRARY.values(), *DIALECTS.values()], ids=lambda d: d.name)
def test_the_dialects_that_come_with_it_pass(known: Dialect) -> None:
    check_prompt(known)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_those_of_published_judges_pass(path: Path) -> None:
    check_prompt(Dialect(name="d", **yaml.safe_load(path.read_text())))


@pytest.mark.parametrize(
    ("user", "changes", "said"),
    [
        ("{{ question }}", {}, "'mine': `user` shows no response"),
        ("{{ fields.tone + 1 }}", {}, "'mine': `user` shows no response"),
        ("{{ question }} {{ responses[0].text }}", {}, "does not show the text of response B"),
        ("{{ responses | length }}", {}, "does not show the text of response A"),
        ("{% for r in responses %}{{ r.letter }}{% endfor %}", {}, "the text of response A"),
        (SHOWN.replace("in responses", "in responses[:2]"), {"kind": "list"}, "of response C"),
        (SHOWN + "{{ question / 2 }}", {}, "`user` cannot be rendered.*TypeError"),
        (SHOWN + "{{ 1 // 0 }}", {}, "`user` cannot be rendered.*ZeroDivisionError"),
        (SHOWN + "{{ responses[2].text }}", {}, "`user` cannot be rendered.*UndefinedError"),
        (SHOWN + "{{ question.index(\"z\") }}", {}, "`user` cannot be rendered.*ValueError"),
        (SHOWN, {"reference_user": "{{ question / 2 }}"}, "`reference_user` cannot be rendered"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_prompt_is_said(user: str, changes: dict[str, Any], said: str) -> None:
    made = dialect(user, **changes)
    with pytest.raises(ValueError, match=said):
        check_prompt(made)
    fields = {"kind": "pair", "scale": ["A", "B"], "direction": "better", "user": user, **changes}
    with pytest.raises(ValueError, match="'mine'"):
        Header(name="r", task="general", seed=1, dialects={"mine": fields})


@pytest.mark.parametrize(
    "user",
    [
        SHOWN + "{{ fields.weight * 2 }}",
        SHOWN + '{% for l in fields.levels | exactly(5, "levels") %}{{ l }}{% endfor %}',
        SHOWN + "{% for name in fields.names %}{{ name.first }}{% endfor %}",
        SHOWN + "{% if reference %}{{ reference | upper }}{% endif %}",
        SHOWN + '{{ grounding | required("grounding") }}',
        "{% for r in responses %}{{ r.text | upper | truncate(40) }}{% endfor %}",
    ],
)
def test_what_a_question_may_have_is_given(user: str) -> None:
    check_prompt(dialect(user))


def shown(user: str, **changes: Any) -> str:
    return render_prompt(dialect(user), question(**changes), ["x", "y"])[-1].content


@pytest.mark.parametrize(
    "user",
    [
        "{{ reference | trim }}", "{{ context | upper }}", "{{ grounding | replace('a', 'b') }}",
        "{{ fields.tone | title }}", "{{ fields.tones | join }}", "{{ reference ~ context }}",
        "{% if reference is none and reference == none and not reference %}{% else %}!{% endif %}",
        "{{ reference | string }}", "{{ (reference | default('', true)) }}",
        "{% for letter in reference %}!{% endfor %}",
    ],
)  # fmt: skip
def test_what_a_question_has_not_is_nothing_through_every_filter(user: str) -> None:
    assert shown(user, task={"tone": None, "tones": [None, None]}) == ""


def test_what_it_has_is_not_nothing() -> None:
    user = "{% if reference is none or reference == none %}!{% else %}{{ reference }}{% endif %}"
    assert shown(user, reference="R") == "R"
    assert shown("{{ fields.count + 1 }} {{ fields.all | join }}", task={"count": 2, "all": ["a"]})


@pytest.mark.parametrize(
    "user", ["{{ fields.n + 1 }}", "{{ 1 // fields.zero }}", "{{ fields.n.index(1) }}"]
)
def test_a_fault_of_one_question_names_it(user: str) -> None:
    asked = question(task={"n": "three", "zero": 0})
    with pytest.raises(DataError, match=f"{asked.id}: dialect 'mine': `user` cannot be rendered"):
        render_prompt(dialect(user), asked, ["x", "y"])


@pytest.mark.parametrize(
    "own",
    [
        "{% for c in choices | exactly(4, 'choices') %}{{ c.text }}{% endfor %}",
        "{{ choices[3].text }}", "{{ criteria[1] }}", "{{ question.split('|')[1] }}",
    ],
)  # fmt: skip
def test_a_prompt_may_rest_on_how_many_there_are(own: str) -> None:
    """Of choices, criteria or parts of a text: a question may have as many."""
    check_prompt(dialect(SHOWN + own))


def test_both_responses_by_a_filter_that_counts_them() -> None:
    check_prompt(
        dialect("{% for r in responses | exactly(2, 'responses') %}{{ r.text }}{% endfor %}")
    )


@pytest.mark.parametrize(
    "asked",
    ["{% if reference != none %}REF{% endif %}", "{% if none != reference %}REF{% endif %}",
     "{% if reference is not none %}REF{% endif %}", "{% if reference %}REF{% endif %}"],
)  # fmt: skip
def test_what_is_absent_is_none_however_it_is_asked(asked: str) -> None:
    assert "REF" not in render_prompt(dialect(SHOWN + asked), question(), ["x", "y"])[-1].content
    held = question(reference="so")
    assert "REF" in render_prompt(dialect(SHOWN + asked), held, ["x", "y"])[-1].content
