"""Rows in exactly the published schemas, written for the tests; nothing of them is published."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def judgelm(question_id: int = 1, **changed: Any) -> dict[str, Any]:
    """A row of judgelm_train_100k.jsonl."""
    return {
        "review_id": f"r{question_id}",
        "question_id": question_id,
        "answer1_id": "", "answer2_id": "", "reviewer_id": 1, "metadata": {},
        "question_body": f"\nWhat is {question_id} + 1?",
        "answer1_body": "It is many.",
        "answer2_body": f"It is {question_id + 1}.",
        "answer1_model_id": "llama",
        "answer2_model_id": "vicuna",
        "answer1_metadata": {"decoding_method": "top_p_sampling"},
        "answer2_metadata": {"decoding_method": "top_p_sampling"},
        "score": [2.0, 9.0],
        "text": "2 9\nAssistant 1's answer is vague, Assistant 2 gives the sum.",
        "score_w_reference": [1.0, 10.0],
        "text_w_reference": "1 10\nAssistant 2 agrees with the reference, Assistant 1 does not.",
        "reference": {"text": f"{question_id + 1}"},
    } | changed  # fmt: skip


LEVELS = {f"orig_score{n}_description": f"It is right in {n} of five ways." for n in range(1, 6)}


STEPS = tuple(f"Level {n}." for n in range(1, 6))


def feedback(score: int | str = "4", **changed: Any) -> dict[str, Any]:
    """A row of the Feedback Collection, with its prompt made of its columns."""
    row = {
        "output": f"Feedback: It is fine. [RESULT] {score}",
        "orig_instruction": "Explain tides.",
        "orig_response": f"The moon pulls, as {score} say.",
        "orig_reference_answer": "The moon and the sun pull at the sea.",
        "orig_criteria": "Is the explanation right?",
        **LEVELS,
        "orig_feedback": f"The response is right in {score} ways.",
        "orig_score": score,
    } | changed
    levels = [row[name] for name in LEVELS]
    whole = prompt(
        row["orig_response"], asked=row["orig_instruction"],
        reference=row["orig_reference_answer"], criterion=row["orig_criteria"], levels=levels,
    )  # fmt: skip
    return {"instruction": whole} | row


def preference(flipped: bool = False, **changed: Any) -> dict[str, Any]:
    """A row of the Preference Collection; `flipped` is its twin in the other order."""
    texts, scores = ["The moon pulls.", "Fish push."], ["4", "2"]
    feedbacks = ["It names the moon.", "It is wrong."]
    first, second = (1, 0) if flipped else (0, 1)
    better = "B" if flipped else "A"
    return {
        "orig_criteria": "Is the explanation right?",
        "orig_feedback_A": feedbacks[first],
        "orig_feedback_B": feedbacks[second],
        "orig_feedback": f"Response {better} names a cause, the other one does not.",
        "orig_instruction": "Explain tides.",
        "orig_preference": better,
        "orig_reference_answer": "The moon and the sun pull at the sea.",
        "orig_response_A": texts[first],
        "orig_response_B": texts[second],
        "orig_score_A": scores[first],
        "orig_score_B": scores[second],
        "instruction": "the whole prompt",
        "output": f"Feedback: So. [RESULT] {better}",
    } | changed


def prompt(
    response: str, *, asked: str = "Explain tides.", reference: str | None = "Pull of the moon.",
    criterion: str = "Is it right?",
    levels: Sequence[str | None] = STEPS,
) -> str:  # fmt: skip
    """A whole absolute prompt in the layout of the Prometheus repositories."""
    told = f"###Reference Answer (Score 5):\n{reference}\n\n" if reference else ""
    extra = "a reference answer that gets a score of 5, " if reference else ""
    scores = "\n".join(f"Score {n}: {level}" for n, level in enumerate(levels, start=1))
    return (
        f"###Task Description:\nAn instruction, a response, {extra}and a rubric are given.\n\n"
        f"###The instruction to evaluate:\n{asked}\n\n###Response to evaluate:\n{response}\n\n"
        f"{told}###Score Rubrics:\n[{criterion}]\n{scores}\n\n###Feedback: "
    )
