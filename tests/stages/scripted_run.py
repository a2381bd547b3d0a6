"""A small run with pairs and single responses, and students whose replies are scripted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from judgesmith.judging.dialect import Dialect
from judgesmith.models.protocol import Completion, Request
from judgesmith.records import (
    AnnotatorKind,
    Direction,
    Finish,
    Item,
    Kind,
    Label,
    Question,
    Response,
    Scores,
    Split,
    choice,
)
from judgesmith.runs.layout import Header, RunDir

SCALE = {"low": 1, "high": 5}
RELATIVE = {
    "kind": "pair", "user": "{% for r in responses %}{{ r.letter }}: {{ r.text }}\n{% endfor %}",
    "scale": ["A", "B"], "direction": "better",
}  # fmt: skip
ABSOLUTE = {
    "kind": "single", "user": "{{ responses[0].text }}", "scale": SCALE, "direction": "better",
}  # fmt: skip
TWO = {
    "kind": "pair", "user": "{% for r in responses %}{{ r.letter }}: {{ r.text }}\n{% endfor %}",
    "scale": {"low": 1, "high": 10}, "direction": "better", "reply": {"kind": "scores_first"},
}  # fmt: skip

Worth = Callable[[str], float]
"""How good a student takes a response to be, by its text."""


class Scripted:
    """Replies in tags or two scores, by how good it takes each response to be.

    `noise` maps a text of a prompt to a reply that is no verdict. With `probabilities` a score's
    neighbours get some of the mass.
    """

    def __init__(
        self, name: str, worth: Worth, *, broken: Callable[[str], bool] = lambda _: False,
        probabilities: bool = False,
    ) -> None:  # fmt: skip
        self.name, self.worth, self.broken = name, worth, broken
        self.probabilities = probabilities
        self.asked = 0

    def complete(self, requests: Sequence[Request]) -> Iterator[Completion]:
        for request in requests:
            self.asked += 1
            prompt = request.messages[-1].content
            text, chances = self._reply(prompt, request)
            cut = text.startswith("cut")
            yield Completion(
                text=text, finish=Finish.LENGTH if cut else Finish.STOP, prompt_tokens=1,
                completion_tokens=1, probabilities=chances,
            )  # fmt: skip

    def _reply(self, prompt: str, request: Request) -> tuple[str, dict[str, float] | None]:
        if self.broken(prompt):
            return "cut off in the middle of a tho", None
        shown = [line.partition(": ")[2] for line in prompt.splitlines() if line[1:3] == ": "]
        if not shown:
            score = round(min(5, max(1, self.worth(prompt))))
            chances = {str(v): 0.0 for v in range(1, 6)}
            spread = min(1.0, max(0.0, self.worth(prompt) - score + 0.5))
            chances[str(score)] = 0.8
            chances[str(min(5, score + 1))] += 0.2 * spread
            chances[str(max(1, score - 1))] += 0.2 * (1 - spread)
            tags = f"<reasoning>So.</reasoning><verdict>{score}</verdict>"
            return tags, chances if self.probabilities else None
        worth = [self.worth(text) for text in shown]
        if request.wanted is None:
            first, second = (round(min(10, max(1, 2 * value))) for value in worth)
            return f"{first} {second}\nBecause.", None
        named = "A" if worth[0] >= worth[1] else "B"
        return f"<reasoning>So.</reasoning><verdict>{named}</verdict>", None


def question(n: int) -> Question:
    return Question.make(
        source="t", licence="n", group_id=f"g{n}", template_id=None, category=None, context=None,
        text=f"Question {n}?", choices=None, key=None, reference=None, grounding=None, task={},
    )  # fmt: skip


def response(asked: Question, model: str, text: str) -> Response:
    return Response.make(
        source="t", licence="n", question_id=asked.id, model=model, sampling={}, text=text,
        finish=Finish.STOP, task={},
    )  # fmt: skip


def item(kind: Kind, *responses: Response, split: Split, bucket: str = "b") -> Item:
    return Item.make(
        source="t", licence="n", kind=kind, question_id=responses[0].question_id,
        response_ids=tuple(r.id for r in responses), bucket=bucket, subtype=None, split=split,
    )  # fmt: skip


def label(
    of: Item, verdict: Any, kind: AnnotatorKind = AnnotatorKind.KEY, *, policy: str = "p",
    by: str = "a",
) -> Label:  # fmt: skip
    if isinstance(verdict, str):
        verdict = choice(verdict)
    elif isinstance(verdict, tuple):
        verdict = Scores(kind="scores", values=tuple(map(float, verdict)), criteria=None)
    return Label.make(
        source="t", licence="n", item_id=of.id, verdict=verdict, direction=Direction.BETTER,
        confidence=None, policy=policy, judgment_ids=(), annotator_kind=kind, annotator=by,
    )  # fmt: skip


def truth(text: str) -> float:
    """The worth of a response stands at the end of its text: "answer 3 worth 4"."""
    return float(text.split()[-1])


def write_run(
    path: Path, records: Mapping[str, Sequence[Any]], dialects: Mapping[str, Any]
) -> RunDir:
    """A run folder with these records, of the task `general`."""
    named = {name: Dialect(name=name, **fields) for name, fields in dialects.items()}
    run_dir = RunDir(path, Header(name="t", task="general", seed=7, dialects=named))
    for name, rows in records.items():
        run_dir.write(name, rows)
    return run_dir


def pairs_and_singles(pairs: int = 40, singles: int = 40) -> dict[str, list[Any]]:
    """Test pairs with letters, test singles with scores, and some of both to learn from.

    Of pair n the first response is worth 1 to 5, the second another 1 to 5; singles 1 to 5.
    """
    found: dict[str, list[Any]] = {
        "questions/questions.jsonl": [], "responses/responses.jsonl": [],
        "split/items.jsonl": [], "labels/labels.jsonl": [],
    }  # fmt: skip

    def add(n: int, kind: Kind, worth: Sequence[int], split: Split) -> None:
        asked = question(n)
        shown = [
            response(asked, f"m{i}", f"{'long ' * (n % 3 + i)}answer {n} worth {value}")
            for i, value in enumerate(worth)
        ]
        made = item(kind, *shown, split=split, bucket="even" if n % 2 else "odd")
        found["questions/questions.jsonl"].append(asked)
        found["responses/responses.jsonl"] += shown
        found["split/items.jsonl"].append(made)
        verdict: Any = tuple(worth) if kind is Kind.SINGLE else "A" if worth[0] > worth[1] else "B"
        found["labels/labels.jsonl"].append(label(made, verdict))

    for n in range(pairs):
        add(n, Kind.PAIR, (n % 5 + 1, (n + 1 + n // 5 % 4) % 5 + 1), Split.TEST)
    for n in range(singles):
        add(1000 + n, Kind.SINGLE, (n % 5 + 1,), Split.TEST)
    for n in range(10):
        add(2000 + n, Kind.SINGLE, (4 if n < 6 else 2,), Split.TRAIN)
    return found
