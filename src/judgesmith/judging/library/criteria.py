"""Several scores in one reply: a response is scored from 1 to 5 on each of some criteria.

The criteria are the question's: their names in `fields.criteria` and, where it has them, what each
means in `fields.meanings`, in the same order.
"""

from judgesmith.judging.dialect import Dialect
from judgesmith.judging.forms import Json
from judgesmith.judging.library.blocks import GROUNDED, QUESTION, SUPPORTS, Support, block
from judgesmith.judging.scale import Scale
from judgesmith.records import Direction, Kind

_SYSTEM = (
    "You score a response on several criteria. Each counts by itself: a response that does well on "
    "one may do badly on another."
)

_CRITERIA = """{% for name in criteria %}
- {{ name }}{% if fields.meanings is defined %}: {{ fields.meanings[loop.index0] }}{% endif %}

{% endfor %}"""

_FORM = """Reply with one JSON object and nothing else, in this layout:
{ {%- for name in criteria %}"{{ name }}": {"reason": "why", "score": 3}\
{% if not loop.last %}, {% endif %}{% endfor -%} }"""


def _dialect(support: Support) -> Dialect:
    heading = "## Document" if support is GROUNDED else "## Reference answer"
    use = f" {support.use}" if support.use else ""
    user = (
        f"## Question\n{QUESTION}\n\n{block(support, heading)}"
        "## Response\n{{ responses[0].text }}\n\n"
        f"## Criteria\n{_CRITERIA}\n\n"
        "Score the response on each criterion from 1 (not met at all) to 5 (fully met), with the "
        f"reason first.{use}\n{_FORM}"
    )
    return Dialect(
        name=f"criteria{support.suffix}", kind=Kind.SINGLE, system=_SYSTEM, user=user,
        scale=Scale(low=1, high=5), direction=Direction.BETTER,
        reply=Json(rationale="reason", verdict="score", by_criterion=True),
    )  # fmt: skip


DIALECTS = tuple(_dialect(support) for support in SUPPORTS)
