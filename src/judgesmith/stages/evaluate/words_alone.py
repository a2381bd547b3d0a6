"""A judge that sees words and nothing else: what the style of the responses gives away.

Naive Bayes over the words of a response, trained on the training side: which words are more common
in responses that labels name than in the others. A judge that is not better than this has learned
phrases, not the rubric.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgesmith.records import LETTERS, TIE, Choice, Item, Question, Response, choice, keyed_rng

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class WordsAlone:
    """Log-odds of each word that a label names its response, and the margin that makes a tie."""

    odds: Mapping[str, float]
    margin: float

    def score(self, text: str) -> float:
        """Sum of the log-odds of the text's distinct words; unknown words count nothing."""
        return math.fsum(self.odds.get(word, 0.0) for word in words(text))

    def __call__(self, question: Question, responses: Sequence[Response]) -> Choice:
        """Name the response with the higher score, a tie within the margin."""
        first, second = (self.score(response.text) for response in responses)
        return choice(_named(first - second, self.margin))


def words(text: str) -> set[str]:
    """The distinct words of a text, in lower case.

    >>> sorted(words("The answer is: B. The end!"))
    ['answer', 'b', 'end', 'is', 'the']
    """
    return set(_WORD.findall(text.lower()))


def _named(difference: float, margin: float) -> str:
    if abs(difference) <= margin:
        return TIE
    return "A" if difference > 0 else "B"


def learn_words(
    items: Sequence[Item], labels: Mapping[str, str], responses: Mapping[str, Response]
) -> WordsAlone:
    """Count words on labelled items; which half chooses the tie margin is drawn by item id.

    odds(w) = log((named with w + 1) / (named + 2)) - log((others with w + 1) / (others + 2)). The
    margin is the one among 0 and 50 quantiles of the score difference that is right most often on
    one half, with odds from the other half; the final odds come from all items.
    """
    known = [item for item in items if item.id in labels]
    halves: tuple[list[Item], list[Item]] = ([], [])
    for item in known:
        halves[keyed_rng(0, "words", item.id).random() < 0.5].append(item)
    half = WordsAlone(_count_odds(halves[0], labels, responses), 0.0)
    pairs = [(_difference(half, item, responses), labels[item.id]) for item in halves[1]]
    return WordsAlone(_count_odds(known, labels, responses), _best_margin(pairs))


def _count_odds(
    items: Sequence[Item], labels: Mapping[str, str], responses: Mapping[str, Response]
) -> dict[str, float]:
    named, others = Counter[str](), Counter[str]()
    totals = [0, 0]
    for item in items:
        for position, response in enumerate(item.response_ids):
            is_named = labels[item.id] == LETTERS[position]
            totals[is_named] += 1
            (named if is_named else others).update(words(responses[response].text))
    return {
        word: math.log((named[word] + 1) / (totals[1] + 2))
        - math.log((others[word] + 1) / (totals[0] + 2))
        for word in {*named, *others}
    }


def _difference(judge: WordsAlone, item: Item, responses: Mapping[str, Response]) -> float:
    first, second = (judge.score(responses[i].text) for i in item.response_ids)
    return first - second


def _best_margin(pairs: Sequence[tuple[float, str]]) -> float:
    sizes = sorted(abs(difference) for difference, _ in pairs)
    steps = [0.0, *(sizes[len(sizes) * k // 50] for k in range(50 if sizes else 0))]
    return max(steps, key=lambda m: sum(_named(d, m) == label for d, label in pairs))
