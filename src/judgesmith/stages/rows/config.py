"""The settings of the rows stage, and what they do not allow."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from judgesmith.errors import DataError, RecipeError
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.taken_over import measure_text
from judgesmith.records import AnnotatorKind, Kind, Label
from judgesmith.runs.recipe import Section
from judgesmith.runs.rehearsal import Rates
from judgesmith.stages.rows.bare import require_bare
from judgesmith.stages.rows.conditions import Augment
from judgesmith.stages.rows.select import Orders


class Config(Section):
    """`dialect` is how the student will be asked; `labels` whose labels it learns from.

    A row is learnt from a judgment that says the label's verdict: of a teacher (`labels: model`, or
    `simulated`) there may be one in one order only, or none. Where a person decided an item by the
    policy `person`, that verdict is learnt with the reasons of the teachers that say the same. A
    dialect that asks the judge for its own answer first gets that of the teacher, else the key's.

    With `dialects` in place of `dialect` rows of several are made: each judgment in the dialect it
    was made in, else in the first that can say it. `augment` swaps pairs and drops references.

    `orders` is for dialects of pairs. "coin_flip" draws one order per item from the seed and the
    item's id; "both" shows the student every pair twice, so that no slot can pay.

    `even` is for dialects of single responses: of training rows whose response chose rightly, and
    of those that chose wrongly, as many are kept of both, drawn by seed. Else a student learns that
    responses are mostly right, and believes them instead of reading.

    `per_question`, for the same dialects, caps the training rows that show responses to one
    question, drawn by seed. It leaves more of the training to other questions, and to answers.

    `soft` writes rows/soft.jsonl beside the rows: how likely each verdict is by the teachers that
    the label rests on, for `sft.soft_labels`.

    `without_reason` is the share of the training rows whose reply is the verdict alone: from them
    a student learns to judge in fast mode, without writing its reasons.
    """

    model_config = ConfigDict(populate_by_name=True)

    dialect: str | None = None
    several: tuple[str, ...] = Field((), alias="dialects")
    labels: AnnotatorKind = AnnotatorKind.KEY
    orders: Orders = "both"
    even: bool = False
    per_question: int | None = Field(None, gt=0)
    augment: Augment = Augment()
    soft: bool = False
    without_reason: float = Field(0.0, ge=0, le=1)

    @property
    def dialects(self) -> tuple[str, ...]:
        """Names of the dialects of the rows."""
        return self.several if self.dialect is None else (self.dialect,)

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.dialect is None) is (not self.several):
            raise ValueError("expected `dialect`, or `dialects` for several, and not both")
        if len(set(self.several)) < len(self.several):
            raise ValueError("`dialects` names one twice")
        return self

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what is not given, so that no finished run is stale."""
        content: dict[str, Any] = handler(self)
        absent = {"several": [], "augment": Augment().model_dump(mode="json"), "soft": False}
        absent |= {"without_reason": 0.0}
        return {k: v for k, v in content.items() if k not in absent or v not in (absent[k], ())}

    def rehearsed(self, rates: Rates) -> Self:
        """Labels by simulated teachers in place of real ones."""
        return self.model_copy(update={"labels": self.labels.rehearsed})


ON_TEST_SIDE = "on the test side"
HOLDS_A_TAG = "every reason holds what marks the verdict in the dialect"
_REMEDIES = {
    ON_TEST_SIDE: "Items of the test side are never learnt: what shares a template, or with "
    "split.level: question a question, stays on one side (split.level, split.test_share).",
    HOLDS_A_TAG: "A reply with such a reason could not be read back: choose other words before the "
    "verdict (the dialect's `reply`), or clean the reasons.",
}
"""Why an item gives no row, and what to do about it."""
_NO_REASON = (
    "Verdicts without a reason, such as those by people, teach no dialect with a rationale: learn "
    "one whose reply is the verdict alone, or learn from the key or from teachers (rows.labels) "
    "and measure against people (evaluate.labels: person)."
)


def require_kinds(config: Config, dialects: Sequence[Dialect]) -> None:
    """Raise RecipeError for a setting that is not for dialects of these kinds."""
    if config.without_reason:
        require_bare(dialects)
    named = ", ".join(repr(dialect.name) for dialect in dialects)
    setting = "rows.dialects" if config.several else "rows.dialect"
    if config.per_question is not None and any(d.kind is not Kind.SINGLE for d in dialects):
        raise RecipeError(
            f"rows.per_question: expected a dialect of single responses, found {setting} "
            f"{named}: a cap on rows would part the two orders of a pair. Leave it out, "
            "or cap pairs with split.max_train."
        )
    if config.orders != "both" and all(d.kind is not Kind.PAIR for d in dialects):
        raise RecipeError(
            f"rows.orders: expected a dialect of pairs, found {config.orders!r} with {setting} "
            f"{named}, which shows each response alone and so has no order. Leave it out, "
            "or choose a dialect of pairs."
        )


def nothing_sayable(dialects: Sequence[Dialect], found: str) -> DataError:
    """The error of a run with judgments, of which none can be learnt in any dialect of the rows.

    `found` says in which dialects there are judgments.
    """
    wanted = " or ".join(
        f"{', '.join(one.scale.values)} to learn dialect {one.name!r} from ({measure_text(one)})"
        for one in dialects
    )
    return DataError(
        f"rows: expected a verdict among {wanted}, found judgments in other dialects: {found}. A "
        "score is not taken over to another scale, nor a verdict given without a reference or "
        "document to a prompt that shows one. Label in that dialect too (labels.dialect, "
        "labels.more), or learn one that has labels (rows.dialect)."
    )


def nothing_to_learn(
    config: Config, labels: Iterable[Label], dropped: Mapping[str, int]
) -> DataError:
    """The error of a run whose labels give no row; `dropped` counts its items by the reason."""
    kinds = Counter(label.annotator_kind.value for label in labels)
    told = ", ".join(f"{name} ({count})" for name, count in sorted(kinds.items())) or "none"
    lost = {reason: count for reason, count in dropped.items() if count}
    why = "; ".join(f"{reason}: {count}" for reason, count in lost.items())
    learning = lost.keys() - {ON_TEST_SIDE}
    return DataError(
        f"rows: no item gives a row to learn from. Items by reason: {why or 'no items'}. "
        f"rows.labels is {config.labels.value!r}; labels by kind: {told}. "
        f"{' '.join(_REMEDIES.get(one, _NO_REASON) for one in sorted(learning) or [ON_TEST_SIDE])}"
    )
