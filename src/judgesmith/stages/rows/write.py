"""A judgment or an answer as a supervised row: prompt and reply in the student dialect."""

from collections.abc import Iterable, Mapping

from judgesmith.audits.licences import JOIN
from judgesmith.judging.dialect import Dialect
from judgesmith.judging.render import render_prompt, render_reference_prompt
from judgesmith.judging.reply import reply_in
from judgesmith.records import Item, Judgment, Question, Response, SftRow


def build_rows(
    item: Item, question: Question, responses: Mapping[str, Response],
    judgments: Iterable[Judgment], dialect: Dialect, reference: str | None = None,
) -> list[SftRow]:  # fmt: skip
    """One row per judgment that has a rationale and a reply, in the order it was made in.

    A judgment made in another dialect is written again in this one: a row's prompt and completion
    are always of one dialect. `reference` is what the judge is to have answered before.
    """
    assert item.split is not None
    rows = []
    for judgment in judgments:
        reply = reply_in(dialect, judgment)
        if reply is None:
            continue
        texts = [responses[item.response_ids[position]].text for position in judgment.order]
        rows.append(
            SftRow.make(
                source=judgment.source,
                licence=with_terms(item.licence, judgment.licence),
                item_id=item.id,
                order=judgment.order,
                split=item.split,
                dialect=dialect.hash,
                prompt=render_prompt(dialect, question, texts, reference),
                completion=reply,
            )
        )
    return rows


def with_terms(licence: str, more: str) -> str:
    """A licence with further terms, each once.

    >>> with_terms("CC-BY-4.0", "CC-BY-4.0; terms of a vendor"), with_terms("MIT", "MIT")
    ('CC-BY-4.0; terms of a vendor', 'MIT')
    """
    if more == licence:
        return licence
    return JOIN.join(dict.fromkeys([*licence.split(JOIN), *more.split(JOIN)]))


def reference_row(
    item: Item, question: Question, dialect: Dialect, reference: str | None
) -> list[SftRow]:
    """The row from which a judge learns to answer the question itself; it shows no response."""
    prompt = render_reference_prompt(dialect, question)
    if prompt is None or reference is None:
        return []
    assert item.split is not None
    return [
        SftRow.make(
            source="answer key",
            licence=question.licence,
            item_id=item.id,
            order=(),
            split=item.split,
            dialect=dialect.hash,
            prompt=prompt,
            completion=reference,
        )
    ]
