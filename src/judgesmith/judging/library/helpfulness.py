"""Which of two responses helps more, or neither: for people and for judges of any question."""

from judgesmith.judging.dialect import PAIR_SCALE, Dialect
from judgesmith.judging.forms import Tags
from judgesmith.judging.library.blocks import QUESTION
from judgesmith.records import Direction, Kind

_RUBRIC = """You compare two responses to the same request and decide which one helps more.

A response helps when it does what was asked, is right, leaves nothing needed out, and can be \
followed. What is wrong weighs more than what is missing, and what is missing more than how it is \
put. Length counts for nothing: words that add nothing help nobody. Where both do what was asked \
equally well, or both fail equally, neither helps more.

The verdict names the response that is BETTER: A, B, or TIE when neither helps more than \
the other."""

_REPLY_FORM = """Reply with your reasoning, then the verdict, in exactly this form:
<reasoning>why</reasoning><verdict>A, B or TIE</verdict>"""

_USER = f"""**Request**
{QUESTION}
{{% for response in responses %}}

**Response {{{{ response.letter }}}}**
{{{{ response.text }}}}
{{% endfor %}}

Which response is BETTER?"""

DIALECTS = (
    Dialect(
        name="helpful-pair", kind=Kind.PAIR, system=f"{_RUBRIC}\n\n{_REPLY_FORM}",
        reply_form=_REPLY_FORM, user=_USER, scale=PAIR_SCALE, direction=Direction.BETTER,
        reply=Tags(rationale="reasoning", verdict="verdict"),
    ),
)  # fmt: skip
