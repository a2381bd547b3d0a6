"""Do question and choices give the key away, without the context?

Where they do, a responder is right without reading, and a judge trained on its answers learns the
cue. Two things are asked of a bag of words that never sees the context:

- which person: of settled questions (the key names somebody), the right choice or another one;
- unknown or not: of all questions with a choice that names nobody, whether that one is right.

Each is asked twice. With *templates* held out, a cue must hold across templates: a telling word, a
place, a phrasing of the unknown choice. With *people* held out (all questions of one template over
the same named choices), a cue may be one template's own: "the uncle" is always the lazy one. The
second is what "solvable from its surface" means for a reader who has seen a template's other
questions; the first is what counts where train and test share no template.

The bag holds the words of each choice, alone and with each word of the question, how many of them
stand in the question, which choice is longer, and its place; see `surface_probe` for how it learns
from some questions and is asked about others. For "unknown or not" accuracy is the mean of the
shares that are right where the key is the unknown choice and where it is not, so chance is 1/2 for
both things asked, whatever the share of either side. (The share of the larger side as chance would
hide any cue in lopsided data.)

False alarms: four intervals of 97.5%, over templates, lie above 1/2 by chance with at most 1.25%
each, 5% together.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from judgesmith.audits.finding import MAX_EXAMPLES
from judgesmith.audits.surface_probe import ProbeRow, Weighed, held_out_scores, keyed_hash, weigh
from judgesmith.errors import DataError
from judgesmith.metrics.coding import FloatArray, cluster_codes
from judgesmith.metrics.perfect import bound_share, without_width
from judgesmith.metrics.resample import real_sums_by_cluster
from judgesmith.metrics.result import Estimate

LEAST_TEMPLATES = 10
"""With fewer, their spread says too little about other templates."""

MOST_QUESTIONS = 10_000
CONFIDENCE = 0.975
METHOD = "t interval over templates"
N_SHOWN = 5
"""Features named per thing asked."""

Asked = Literal["which person", "unknown or not"]
HeldOut = Literal["templates", "people"]

_NO_SCORE = 1e-6  # weights that cancel leave rounding behind, which says nothing
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class SurfaceQuestion:
    """A question as the probe sees it: no context.

    Attributes:
        question_id: Its id.
        template_id: What it was made from, or what else must be held out together.
        text: The question.
        choices: The choices in their order, at least two.
        key: Place of the right choice.
        unknown: Place of the choice that names nobody; None if there is none.

    Raises:
        DataError: If there are fewer than two choices, or a place is not among them.
    """

    question_id: str
    template_id: str
    text: str
    choices: tuple[str, ...]
    key: int
    unknown: int | None

    def __post_init__(self) -> None:
        places = range(len(self.choices))
        if len(places) < 2 or any(p is not None and p not in places for p in self._places()):
            raise DataError(
                f"question {self.question_id!r}: expected at least two choices, key and unknown "
                f"among their places, found choices={self.choices!r}, key={self.key!r}, "
                f"unknown={self.unknown!r}"
            )

    def _places(self) -> tuple[int | None, ...]:
        return self.key, self.unknown


@dataclass(frozen=True, slots=True)
class SurfaceProbe:
    """How well question and choices alone tell one thing.

    Attributes:
        asked: What is told.
        held_out: What the probe had not seen.
        accuracy: Held out, against a chance of 1/2; its n is the number of questions that were
            asked about, its clusters are their templates. Undefined with its reason where there
            is too little.
        hits: Questions told rightly; where nothing speaks for either side, half of one.
        examples: Ids of the questions told rightly with the widest margin.
    """

    asked: Asked
    held_out: HeldOut
    accuracy: Estimate
    hits: float
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SurfaceTable:
    """What the surface of questions tells of their key.

    Attributes:
        questions: How many were looked at; of more than `MOST_QUESTIONS`, those with the least
            hash.
        templates: How many templates they belong to.
        probes: One per thing asked and way of holding out.
        person_features: What weighs most in telling the right person, learned from all questions
            and counted on the same ones: a weight above 0 speaks for the choice that has more of
            the feature, below 0 for the other.
        unknown_features: The same for the unknown choice.
    """

    questions: int
    templates: int
    probes: tuple[SurfaceProbe, ...]
    person_features: tuple[Weighed, ...]
    unknown_features: tuple[Weighed, ...]

    def to_dict(self) -> dict[str, object]:
        """Give the table as plain JSON values."""
        return asdict(self)


def surface_table(questions: Iterable[SurfaceQuestion], *, seed: int = 0) -> SurfaceTable:
    """Measure what question and choices tell of the key.

    Args:
        questions: In any order, each id once.
        seed: Key of the hash that makes the folds, and seed of the resamples.

    Returns:
        The table. An accuracy is undefined below `LEAST_TEMPLATES` templates, and where there is
        only one side to learn from or to ask about.

    Twenty templates, of which 18 are asked about; the right person is always the old one:

    >>> found = surface_table(
    ...     SurfaceQuestion(f"q{i}", f"t{i}", "Who?", ("an old man", "a young man")[::step],
    ...                     0 if step == 1 else 1, None)
    ...     for i in range(20) for step in [1 - 2 * (i % 2)])
    >>> [(p.asked, p.held_out, p.accuracy.value, p.accuracy.n) for p in found.probes[:2]]
    [('which person', 'templates', 1.0, 18), ('which person', 'people', 1.0, 18)]
    >>> found.probes[2].accuracy.undefined
    'expected at least 10 templates to ask about, found 0'
    """
    kept = sorted(questions, key=lambda q: (keyed_hash(seed, q.question_id), q.question_id))
    kept = kept[:MOST_QUESTIONS]
    persons = [(q, _person_row(q, seed)) for q in kept if q.key != q.unknown and _others(q)]
    unknowns = [(q, _unknown_row(q, q.unknown)) for q in kept if q.unknown is not None]
    return SurfaceTable(
        questions=len(kept),
        templates=len({q.template_id for q in kept}),
        probes=(
            *_probes("which person", persons, seed),
            *_probes("unknown or not", unknowns, seed),
        ),
        person_features=weigh([row for _, row in persons], balanced=False)[:N_SHOWN],
        unknown_features=weigh([row for _, row in unknowns], balanced=True)[:N_SHOWN],
    )


def _others(question: SurfaceQuestion) -> list[int]:
    """Places of the choices that name somebody and are not right."""
    return [p for p in range(len(question.choices)) if p not in (question.key, question.unknown)]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _person_row(question: SurfaceQuestion, seed: int) -> ProbeRow:
    """The right choice and another one, as the difference of the earlier and the later one."""
    other = min(_others(question), key=lambda p: keyed_hash(seed, question.question_id, str(p)))
    first, second = sorted((question.key, other))
    one, two = _choice_features(question, first), _choice_features(question, second)
    gap = {name: one.get(name, 0.0) - two.get(name, 0.0) for name in (one | two)}
    longer = len(question.choices[first]) - len(question.choices[second])
    gap["the earlier choice"] = 1.0
    gap["the longer choice"] = float(np.sign(longer))
    features = {name: value for name, value in gap.items() if value}
    return ProbeRow(question.question_id, question.template_id, features, first == question.key)


def _choice_features(question: SurfaceQuestion, place: int) -> dict[str, float]:
    asked = set(_words(question.text))
    said = set(_words(question.choices[place]))
    found = {f"choice {place + 1}": 1.0, "words of the question": float(len(asked & said))}
    for word in said:
        found[repr(word)] = 1.0
        found.update((f"{word!r} where {ask!r} is asked", 1.0) for ask in asked)
    return found


def _unknown_row(question: SurfaceQuestion, place: int) -> ProbeRow:
    found = {"": 1.0, f"the unknown choice is choice {place + 1}": 1.0}
    found.update((f"{word!r} in the question", 1.0) for word in _words(question.text))
    for at, choice in enumerate(question.choices):
        where = "in the unknown choice" if at == place else "in a named choice"
        found.update((f"{word!r} {where}", 1.0) for word in _words(choice))
    return ProbeRow(question.question_id, question.template_id, found, question.key == place)


def _probes(
    asked: Asked, rows: Sequence[tuple[SurfaceQuestion, ProbeRow]], seed: int
) -> Iterator[SurfaceProbe]:
    by_people = [
        ProbeRow(row.row_id, "\x1f".join((q.template_id, *_named(q))), row.features, row.positive)
        for q, row in rows
    ]
    templates = [q.template_id for q, _ in rows]
    yield _probe(asked, "templates", [row for _, row in rows], templates, seed=seed)
    yield _probe(asked, "people", by_people, templates, seed=seed)


def _named(question: SurfaceQuestion) -> list[str]:
    return sorted(c for place, c in enumerate(question.choices) if place != question.unknown)


def _probe(
    asked: Asked, held_out: HeldOut, rows: Sequence[ProbeRow], templates: Sequence[str], *,
    seed: int,
) -> SurfaceProbe:  # fmt: skip
    balanced = asked == "unknown or not"
    scores, places = held_out_scores(rows, balanced=balanced, seed=seed)
    scored = [rows[place] for place in places]
    positive = np.asarray([row.positive for row in scored], dtype=bool)
    right = np.where(abs(scores) < _NO_SCORE, 0.5, (scores > 0) == positive)
    sides = [positive, ~positive] if balanced else [np.ones(len(scored), bool)]
    accuracy = _accuracy(right, sides, [templates[place] for place in places])
    told = sorted(
        (-abs(score), row.row_id)
        for score, row, hit in zip(scores.tolist(), scored, right.tolist(), strict=True)
        if hit == 1.0
    )
    examples = tuple(row_id for _, row_id in told[:MAX_EXAMPLES])
    return SurfaceProbe(asked, held_out, accuracy, float(right.sum()), examples)


def _accuracy(
    right: FloatArray, sides: Sequence[NDArray[np.bool_]], templates: Sequence[str]
) -> Estimate:
    """The mean over sides of the share that is right, with its interval over templates.

    With h and n the hits and rows of template c on side s, p the share of that side, N its rows and
    S the number of sides, template c moves the mean by d(c) = sum_s (h - p n) / (N S), and

        standard error = sqrt(C / (C - 1) * sum_c d(c)**2)

    with Student's t on C - 1 degrees of freedom (Liang and Zeger 1986, with the usual correction
    for few clusters). A percentile bootstrap would be too narrow for the ten to twenty templates
    of a small bank.
    """
    from scipy.stats import t  # slow to load

    codes, count = cluster_codes(templates)
    if count < LEAST_TEMPLATES:
        reason = f"expected at least {LEAST_TEMPLATES} templates to ask about, found {count}"
        return Estimate.missing(reason, len(right), count)
    if not all(side.any() for side in sides):
        reason = "expected both keys that are the unknown choice and keys that are not, found one"
        return Estimate.missing(f"{reason} kind", len(right), count)
    moves = np.zeros(len(right))
    value = 0.0
    for side in sides:
        share = float(right[side].mean())
        value += share / len(sides)
        moves[side] += (right[side] - share) / (side.sum() * len(sides))
    moved = real_sums_by_cluster(moves[:, None], codes)
    reach = float(t.ppf((1 + CONFIDENCE) / 2, count - 1))
    reach *= float(np.sqrt(count / (count - 1) * np.square(moved).sum()))
    found = Estimate(
        value, max(0.0, value - reach), min(1.0, value + reach), n=len(right), clusters=count,
        confidence=CONFIDENCE, method=METHOD,
    )  # fmt: skip
    return without_width(bound_share(found, count))
