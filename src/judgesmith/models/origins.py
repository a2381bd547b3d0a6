"""Whose terms a record stands under, by following it back to what it was made from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from judgesmith.audits.licences import (
    JOIN,
    ModelTerms,
    Part,
    Role,
    row_licence,
    terms_of,
)
from judgesmith.records import (
    AnnotatorKind,
    Item,
    Judgment,
    Label,
    PreferenceRow,
    Question,
    Response,
    SftRow,
)

Row = TypeVar("Row", SftRow, PreferenceRow)


def judges_behind(label: Label, judged: Iterable[Judgment]) -> list[str]:
    """Who gave a label: of an item's judges those that it cites, and those that it names.

    A vote that was outvoted has decided, too. A panel that only checks the primary teacher is not
    named: it decides nothing, so its terms do not bind. What a person decided rests on no vote, but
    on the judgments that it cites for their reasons.
    """
    return list(dict.fromkeys(one.judge for one in _judgments_behind(label, judged)))


def given_behind(label: Label, judged: Iterable[Judgment]) -> list[tuple[str, str]]:
    """Author and licence of the judgments behind a label, each pair once.

    One that a model gave elsewhere stands under terms of its own, such as those of the set that
    published it; one of this run under the item's.
    """
    found = ((one.judge, one.licence) for one in _judgments_behind(label, judged))
    return list(dict.fromkeys(found))


def _judgments_behind(label: Label, judged: Iterable[Judgment]) -> list[Judgment]:
    cited = set(label.judgment_ids)
    named = "" if label.annotator_kind is AnnotatorKind.PERSON else f", {label.annotator}, "
    return [one for one in judged if one.id in cited or f", {one.judge}, " in named]


def people_behind(label: Label) -> str | None:
    """The terms of the person whose verdict a label is; None where it is nobody's."""
    return label.licence if label.annotator_kind is AnnotatorKind.PERSON else None


def joined(licence: str, more: str | None) -> str:
    """A licence with further terms added, once.

    >>> joined("MIT", "the user's own"), joined("MIT", "MIT"), joined("MIT", None)
    ("MIT; the user's own", 'MIT', 'MIT')
    """
    if more is None or more in licence.split(JOIN):
        return licence
    return JOIN.join([licence, more])


def by_item(judgments: Iterable[Judgment]) -> dict[str, list[Judgment]]:
    """Judgments by the item that they judge; no item is missing."""
    judged: dict[str, list[Judgment]] = defaultdict(list)
    for judgment in judgments:
        judged[judgment.item_id].append(judgment)
    return judged


@dataclass(frozen=True)
class Origins:
    """What the records of a run are made of, and the terms of its models by name."""

    questions: Mapping[str, Question]
    responses: Mapping[str, Response]
    models: Mapping[str, ModelTerms]

    def parts(
        self, item: Item, order: Iterable[int], teachers: Iterable[str] = (), *,
        people: str | None = None, given: Iterable[tuple[str, str]] = (),
    ) -> tuple[Part, ...]:  # fmt: skip
        """The parts of a record that shows an item's responses in an order, none where empty.

        `given` are author and licence of the judgments that it rests on: what their licences name
        besides the item's are parts, one by one. Raises KeyError where the item names a question or
        a response that is not there.
        """
        own = item.licence.split(JOIN)
        more = [
            (who, name) for who, licence in given for name in licence.split(JOIN) if name not in own
        ]  # fmt: skip
        shown = [self.responses[item.response_ids[position]] for position in order]
        return terms_of(
            self.questions[item.question_id].licence,
            [(response.licence, response.model) for response in shown],
            teachers=teachers, people=people, given=more, models=self.models,
        )  # fmt: skip

    def licensed(
        self, rows: Iterable[Row], items: Mapping[str, Item], labels: Mapping[str, Label],
        judgments: Iterable[Judgment], *, writers: Iterable[str] = (),
    ) -> list[Row]:  # fmt: skip
        """The rows, each with a licence that names the person and the models it rests on.

        It names the terms of judgments that were given elsewhere, too. `items` are by id, `labels`
        by item; `writers` are models that wrote rejected replies. Rows that rest on no person and
        no model of the recipe or of elsewhere stay as they are.
        """
        judged, written_by = by_item(judgments), list(writers)
        found: list[Row] = []
        for row in rows:
            label, there = labels[row.item_id], judged[row.item_id]
            parts = self.parts(
                items[row.item_id], row.order, judges_behind(label, there) + written_by,
                people=people_behind(label), given=given_behind(label, there),
            )  # fmt: skip
            stood = joined(row.licence, people_behind(label))
            for part in parts:
                stood = joined(stood, part.terms.licence if part.role is Role.GIVEN else None)
            licence = row_licence(stood, parts)
            found.append(row if licence == row.licence else row.with_fields(licence=licence))
        return found
