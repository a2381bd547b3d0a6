"""The YAML head of a judge card: what the hub reads."""

from typing import TYPE_CHECKING

from judgesmith.report.card_weak import judge_in
from judgesmith.report.licences import licence_id

if TYPE_CHECKING:
    from judgesmith.report.card import Card

_TAGS = ("judgesmith", "llm-judge", "llm-as-a-judge")


def card_head(card: "Card") -> dict[str, object]:
    """The YAML head; a licence that is one of the hub's names only where all parts share it."""
    one, document = card.exported, card.document
    licence = licence_id(card.licences.judge) if one.base is None else None
    head: dict[str, object] = {"license": licence or "other"}
    if licence is None:
        head |= {"license_name": "see-the-terms-below", "license_link": "README.md"}
    if card.language is not None:
        head["language"] = card.language
    head |= {
        "library_name": "peft" if one.form == "adapter" else "transformers",
        "pipeline_tag": "text-generation",
        "tags": [*_TAGS, document.task, *(["gguf"] if one.gguf else [])],
    }
    if one.base is not None:
        relation = "adapter" if one.form == "adapter" else "merge"
        head |= {"base_model": one.base, "base_model_relation": relation}
    index = [] if document.rehearsed else _model_index(card)
    if index:
        head["model-index"] = [{"name": card.judge, "results": index}]
    return head


def _model_index(card: "Card") -> list[dict[str, object]]:
    """Agreement by slice, where it may be shown, each with its own number of items."""
    known = judge_in(card.document.evaluation, card.exported.student)
    if known is None:
        return []
    evaluation, judge = known
    labels = evaluation.labels_title.partition("; n = ")[0]
    return [
        {
            "task": {"type": "text-generation", "name": f"judging: {card.document.task}"},
            "dataset": {
                "type": card.document.name,
                "name": f"{card.document.name}, {info.title} ({labels}; n = {found.kappa.n:,})",
            },
            "metrics": [{
                "type": "cohen_kappa", "name": "Cohen's kappa",
                "value": round(found.kappa.value, 4),
            }],
        }
        for info in evaluation.slices
        if info.kind == "domain"
        and (found := judge.slices.get(info.name)) is not None
        and found.kappa.value is not None
        and found.kappa.hidden is None
    ]  # fmt: skip
