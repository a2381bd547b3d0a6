"""Rules without training that stand beside every judge."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from judgesmith.evaluation.judges import ItemKey, Judge, Read
from judgesmith.records import (
    LETTERS,
    TIE,
    Choice,
    Direction,
    Item,
    Question,
    Response,
    choice,
    keyed_rng,
)
from judgesmith.report.results import Role
from judgesmith.tasks import BaselineRule


def by_rule(
    name: str, role: Role, rule: BaselineRule, items: Iterable[Item],
    questions: Mapping[str, Question], responses: Mapping[str, Response], note: str = "",
) -> Judge:  # fmt: skip
    """A rule that sees an item and not its order: order-proof by construction."""
    verdicts: dict[ItemKey, Read] = {}
    for item in items:
        found = rule(questions[item.question_id], [responses[i] for i in item.response_ids])
        value = None if found is None else found.value
        verdicts[item.id] = Read(value, value, value)
    return Judge(name, role, order_proof=True, note=note, verdicts=verdicts)


def constant_rule(training_labels: Sequence[str]) -> BaselineRule:
    """Always the most common training label (a tie where there is none)."""
    counts = Counter(sorted(training_labels))
    value = counts.most_common(1)[0][0] if counts else TIE
    return lambda question, responses: choice(value)


def random_rule(values: Sequence[str], seed: int) -> BaselineRule:
    """A verdict drawn evenly from the scale, keyed by the responses."""

    def rule(question: Question, responses: Sequence[Response]) -> Choice:
        draw = keyed_rng(seed, "random judge", *sorted(r.id for r in responses))
        return choice(draw.choice(list(values)))

    return rule


def longer_rule(direction: Direction | None) -> BaselineRule:
    """Names the response with more words; equal lengths are a tie.

    The verdict is the longer response whichever way the scale points: where a verdict names the
    worse response the rule says that longer is worse, where it names the better one, that longer
    is better.
    """

    def rule(question: Question, responses: Sequence[Response]) -> Choice:
        lengths = [len(response.text.split()) for response in responses]
        longest = max(lengths)
        return choice(TIE if lengths.count(longest) > 1 else LETTERS[lengths.index(longest)])

    return rule
