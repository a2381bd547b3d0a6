"""A share of the rows without their reason: which, by nothing but the seed, and never the rest."""

from collections import Counter
from typing import Any

import pytest

from judgesmith.errors import RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.library import LIBRARY
from judgesmith.judging.parse import parse_reply
from judgesmith.records import Message, SftRow, Split
from judgesmith.stages.rows import Config
from judgesmith.stages.rows.bare import without_reasons
from judgesmith.stages.rows.config import require_kinds
from judgesmith.tasks.bias.dialects import DIALECTS

PAIR, SINGLE = DIALECTS["bias-pair"], DIALECTS["bias-single-compact"]


def row(number: int, dialect: Dialect, **fields: Any) -> SftRow:
    value = dialect.scale.values[number % 2]
    return SftRow.make(
        **{
            "source": "t", "licence": "t", "item_id": f"i{number}", "order": (0,),
            "split": Split.TRAIN, "dialect": dialect.hash,
            "prompt": (Message(role="user", content="Which?"),),
            "completion": dialect.write_reply(f"Reason {number}.", value),
        } | fields
    )  # fmt: skip


ROWS = [row(n, dialect) for dialect in (PAIR, SINGLE) for n in range(500)]
KEPT = [
    row(1, SINGLE, split=Split.DEV),
    row(2, SINGLE, order=(), completion="Nobody is A."),
]


def verdicts(rows: list[SftRow]) -> list[Any]:
    known = {dialect.hash: dialect for dialect in (PAIR, SINGLE)}
    return [parse_reply(known[one.dialect], one.completion).verdict for one in rows]


def test_a_share_of_the_rows_states_the_same_verdict_without_a_reason() -> None:
    made, before = without_reasons([*ROWS, *KEPT], [PAIR, SINGLE], 0.3, seed=7)
    assert made[-2:] == KEPT
    assert verdicts(made[:-2]) == verdicts(ROWS)
    bare = [one for one, old in zip(made, ROWS, strict=False) if one != old]
    assert 250 < len(bare) < 350  # 1000 draws of 0.3: four standard deviations are 58
    assert Counter(one.completion for one in bare).keys() == {
        *(f"<reasoning></reasoning><verdict>{v}</verdict>" for v in ("A", "B", "0", "1")),
    }
    assert {one.id: before[one.id] for one in bare} == before
    assert set(before.values()) < {one.id for one in ROWS}


def test_which_rows_depends_on_nothing_but_seed_and_row() -> None:
    made, _ = without_reasons(ROWS, [PAIR, SINGLE], 0.3, seed=7)
    turned, _ = without_reasons(ROWS[::-1], [PAIR, SINGLE], 0.3, seed=7)
    assert turned[::-1] == made
    assert without_reasons(ROWS, [PAIR, SINGLE], 0.3, seed=8)[0] != made
    assert without_reasons(ROWS, [PAIR, SINGLE], 0.0, seed=7) == (ROWS, {})


def test_a_recipe_that_says_nothing_of_it_is_the_same_as_before() -> None:
    assert "without_reason" not in Config(dialect="d").model_dump(mode="json")
    assert Config(dialect="d", without_reason=0.3).model_dump(mode="json")["without_reason"] == 0.3


@pytest.mark.parametrize("dialect", [LIBRARY["judgelm"], LIBRARY["criteria"]])
def test_a_dialect_without_a_fast_mode_is_refused(dialect: Dialect) -> None:
    with pytest.raises(RecipeError, match=r"rows\.without_reason: .*several scores"):
        require_kinds(Config(dialect=dialect.name, without_reason=0.3), [dialect])


def test_a_dialect_whose_replies_hold_no_reason_is_refused() -> None:
    bare = PAIR.model_copy(update={"reply": Dialect(
        name="d", kind="pair", user="", scale=["A", "B"], direction="worse", reply="{verdict}"
    ).reply})  # fmt: skip
    with pytest.raises(RecipeError, match="its replies hold no reason"):
        require_kinds(Config(dialect="d", without_reason=0.3), [bare])
