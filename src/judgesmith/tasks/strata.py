"""Drawing questions evenly over the strata that a task names."""

from collections import defaultdict
from collections.abc import Sequence

from judgesmith.records import Question, keyed_rng


def stratum(question: Question, name: str) -> str:
    """The question's category, or its value of a task field, as text."""
    return str(question.category if name == "category" else question.task.get(name))


def sample_evenly(
    questions: Sequence[Question], strata: Sequence[str], count: int, seed: int
) -> list[Question]:
    """`count` questions, as even as supply allows over the combinations of `strata`.

    Cells are filled round by round, so that a short cell gives all it has and the others make up
    for it. Inside a cell the order is drawn from the seed and each question's id. With condition
    and polarity among the strata, both come out at 50/50 where supply allows.
    """
    cells: dict[tuple[str, ...], list[Question]] = defaultdict(list)
    for question in questions:
        cells[tuple(stratum(question, name) for name in strata)].append(question)
    for key, members in cells.items():
        members.sort(key=lambda q: keyed_rng(seed, "sample", q.id).random())
        cells[key] = members
    order = sorted(cells, key=lambda key: keyed_rng(seed, "cell", *key).random())
    taken: list[Question] = []
    depth = 0
    while len(taken) < min(count, len(questions)):
        for key in order:
            if depth < len(cells[key]) and len(taken) < count:
                taken.append(cells[key][depth])
        depth += 1
    return taken
