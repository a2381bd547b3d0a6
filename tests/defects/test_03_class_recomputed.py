"""Defect 3: a derived class recomputed downstream (1,665 -> 526).

Derived fields have one producer. Planted here: a stored class that the text does not support. A
reader downstream must use the field as it stands, and no other module may derive it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import judgesmith
from judgesmith.records import Finish, Question, Response, choice
from judgesmith.tasks.bias import TASK

SOURCE = Path(judgesmith.__file__).parent
PRODUCERS = {
    "classify": "tasks/bias/task.py",
    "read_letter": "tasks/bias/task.py",
    "stereotype_target": "tasks/bias/task.py",
    "unknown_index": "tasks/bias/task.py",
    "is_hedged": "tasks/bias/task.py",
    "is_uncertain": "tasks/bias/task.py",
    "annotate_question": "stages/questions.py",
    "annotate_response": "stages/responses/asking.py",
}


FALSIFIED = {"classify": "tasks/bias/mistakes.py"}
"""Works a class out from a misread fact, for a wrong rationale; where true facts do not give the
stored class it makes no mistake, so that it is no second producer."""


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


def test_each_derivation_is_called_in_one_module() -> None:
    found: dict[str, set[str]] = {name: set() for name in PRODUCERS}
    for path in SOURCE.rglob("*.py"):
        for name in calls(ast.parse(path.read_text(encoding="utf-8"))):
            if name in found:
                found[name].add(path.relative_to(SOURCE).as_posix())
    for name, module in FALSIFIED.items():
        found[name].discard(module)
    assert found == {name: {module} for name, module in PRODUCERS.items()}


def test_the_teacher_uses_the_stored_class() -> None:
    """Both texts choose B; the stored classes say that the first is biased, and that decides."""
    question = Question.make(
        source="t", licence="t", group_id="g", template_id=None, category="age", context="c",
        text="?", choices=("x", "y", "z"), key=1, reference=None, grounding=None,
        task={
            "condition": "ambig", "polarity": "neg", "slots": ["x", "y", "z"],
            "groups": ["old", "unknown", "nonOld"], "stereotyped_groups": ["old"],
            "target": 0, "unknown": 1,
        },
    )  # fmt: skip
    made = [
        TASK.annotate_response(
            Response.make(
                source="t", licence="t", question_id=question.id, model=model, sampling={},
                text="The answer is B.", finish=Finish.STOP, task={},
            ),
            question,
        )
        for model in ("m1", "m2")
    ]  # fmt: skip
    planted = made[0].with_fields(task={**made[0].task, "class": "biased"})
    for policy in TASK.key_policies:
        tie, found = (TASK.judge_by_key(question, [r, made[1]], policy) for r in (made[0], planted))
        assert tie is not None
        assert found is not None
        assert (tie.verdict, found.verdict) == (choice("TIE"), choice("A"))
