"""The card of a run's data set: what is in it, how it came about, whose terms, what audits found.

Pure: a card in, Markdown out.
"""

from functools import cache

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from judgesmith.report.audit_tables import confound_table, findings_table, leak_table, supply_table
from judgesmith.report.blocks import Block
from judgesmith.report.document import Document
from judgesmith.report.licences import Licences, licence_id, licences_table
from judgesmith.report.markdown import plain, render_block
from judgesmith.report.result_base import Result
from judgesmith.report.run_tables import composition_table, stage_table
from judgesmith.report.sections import REHEARSED, stamp_of

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "1M<n<10M"


class DataFile(Result):
    """A file of the data set: its configuration, the side of the split, and how many rows."""

    config: str
    split: str
    path: str
    rows: int


class DataCard(Result):
    """What a data set's card is written from."""

    document: Document
    licences: Licences
    files: tuple[DataFile, ...]


def render_data_card(card: DataCard) -> str:
    """Write the card as Markdown with the YAML head of a Hugging Face data set card."""
    document = card.document
    stamp = stamp_of(document)
    blocks: list[Block] = [stage_table(document.stages)] if document.stages else []
    blocks += [composition_table(document.composition)] if document.composition else []
    blocks += [licences_table(card.licences)] if card.licences.rows else []
    audits: list[Block] = [findings_table(document.findings)] if document.findings else []
    audits += [supply_table(document.supply)] if document.supply else []
    audits += [confound_table(document.confounds)] if document.confounds else []
    audits += [leak_table(document.leaks)] if document.leaks else []
    return _environment().get_template("data_card.md.j2").render(
        head=yaml.safe_dump(_head(card), sort_keys=False, allow_unicode=True), card=card,
        document=document, rehearsed=REHEARSED if document.rehearsed else None,
        made=[t for block in blocks for t in render_block(block, stamp) if t],
        audits=[t for block in audits for t in render_block(block, stamp) if t], plain=plain,
    )  # fmt: skip


def _head(card: DataCard) -> dict[str, object]:
    licence = licence_id(tuple(term for row in card.licences.rows for term in row.terms))
    head: dict[str, object] = {"license": licence or "other"}
    if licence is None:
        head |= {"license_name": "see-the-terms-below", "license_link": "README.md"}
    rows = max((file.rows for file in card.files), default=0)
    configs: dict[str, list[dict[str, str]]] = {}
    for file in card.files:
        found = configs.setdefault(file.config, [])
        found.append({"split": file.split, "path": file.path})
    return head | {
        "pretty_name": card.document.name,
        "tags": ["judgesmith", "llm-judge", card.document.task],
        "size_categories": [size_category(rows)],
        "configs": [{"config_name": n, "data_files": files} for n, files in configs.items()],
    }


def size_category(rows: int) -> str:
    """The hub's word for a number of rows.

    >>> size_category(999), size_category(5_000_000)
    ('n<1K', '1M<n<10M')
    """
    return next((name for most, name in _SIZES if rows < most), _LARGEST)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("judgesmith.report"), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=False, keep_trailing_newline=True,
    )  # fmt: skip
