"""What a judge card must say against its judge: everything that was not measured, or not shown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from judgesmith.report.card_weak import broken_down, clearly_weak
from judgesmith.report.numbers import plural
from judgesmith.report.results import Evaluation
from judgesmith.report.sections import REHEARSED

if TYPE_CHECKING:
    from judgesmith.report.card import Card


def limits(card: "Card") -> list[str]:
    """One sentence or two for each limit, the gravest first."""
    found = [REHEARSED] if card.document.rehearsed else []
    found += _of_gate(card)
    evaluation = card.document.evaluation
    if evaluation is None:
        found.append("How well it agrees with labels was not measured at all.")
    else:
        found += _of_evaluation(evaluation)
    if card.simulated:
        found.append(
            "Responses that it learned from and was measured on were made by simulated models, "
            "which are simpler than what real models write."
        )
    found += _of_export(card)
    warned = sum(one.get("severity") == "warning" for one in card.document.findings)
    if warned:
        found.append(f"The audits of its data gave {plural(warned, 'warning')}, listed under Data.")
    found.append(
        "Nothing is known of other questions, languages and responding models than those listed "
        "under Data, nor of prompts worded otherwise than in this card."
    )
    return found


def _of_gate(card: "Card") -> list[str]:
    gate = card.document.gate
    if gate is None:
        return ["The run has no gate: nothing was required of the judge."]
    said = []
    if gate.outcome == "fail":
        said.append("It failed its gate: at least one requirement is contradicted. Do not use it.")
    if gate.outcome == "inconclusive":
        said.append("Its gate could not decide: the evidence is too thin for a requirement.")
    if gate.judge != card.exported.student:
        said.append(
            f"The gate decided on the checkpoint {gate.judge}; this folder holds "
            f"{card.exported.student}, on which it says nothing."
        )
    return said


def limits_of_slices(card: "Card") -> list[str]:
    """That there are slices on which it fails, whatever the gate says of the whole."""
    if card.document.rehearsed:
        return []
    known = broken_down(card.document.evaluation, card.exported.student)
    weak = [weak.info.title for found in known for weak in clearly_weak(*found)]
    names = list(dict.fromkeys(weak))
    if not names:
        return []
    told = [f"{name}{_meaning(name, card.glossary)}" for name in names]
    return [
        f"It is clearly weaker than as a whole on {plural(len(names), 'slice')} of its items: "
        f"{'; '.join(told)}. See Where it is weakest."
    ]


def _meaning(name: str, glossary: Mapping[str, str]) -> str:
    return f", {glossary[name]}" if name in glossary else ""


def _of_evaluation(evaluation: Evaluation) -> list[str]:
    found = []
    if evaluation.labels_kind != "people":
        whose = {"answer key": "the answer key"}.get(evaluation.labels_kind, evaluation.labels_kind)
        found.append(
            f"It was measured against {whose} and not against people, so how "
            "often people agree with it is not known."
        )
    if not any(one.name == "out_of_domain" for one in evaluation.slices):
        found.append("No category was held out, so nothing is known outside of those trained on.")
    if (evaluation.test_looks or 0) > 1:
        found.append(
            f"The test labels were looked at {evaluation.test_looks} times: each look invites a "
            "choice that suits them."
        )
    found += [f"{what} was not measured: {why}" for what, why in evaluation.missing.items()]
    return found


def _of_export(card: "Card") -> list[str]:
    one = card.exported
    found = []
    if one.quantize is not None:
        found.append(
            f"It was trained and measured over its base in four bits ({one.quantize}). Over the "
            "base as it was published it is another judge, which was not measured."
        )
    for form, why in one.not_measured.items():
        found.append(f"Whether the form {form} gives the same verdicts was not measured: {why}.")
    found += [
        f"The form {p.form} may lose more than is allowed: {p.reason}." for p in one.parity
        if p.outcome != "pass"
    ]  # fmt: skip
    found += [
        f"In {file.file} {plural(file.fallen_back, 'matrix')} are stored otherwise than its name "
        "says, as their rows are too short for it.".replace("matrixs", "matrices")
        for file in one.gguf if file.fallen_back and not file.refused
    ]  # fmt: skip
    found.append(
        "Judgesmith breaks up chat tags inside the texts that are judged. Another program may not, "
        "and a response that holds such a tag can then speak in the judge's place."
    )
    return found
