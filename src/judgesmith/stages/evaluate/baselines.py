"""Who stands beside every judge: further people, answer keys, and rules without training."""

from collections import Counter
from collections.abc import Mapping, Sequence

from judgesmith.evaluation.judges import ItemKey, Judge, Read
from judgesmith.evaluation.kept import CONSTANT
from judgesmith.evaluation.score_judges import ScoreJudge, ScoreRead
from judgesmith.evaluation.scoring import Scored
from judgesmith.judging.dialect import Dialect
from judgesmith.models.about import CRITERION, score_units, verdict_scale
from judgesmith.records import TIE, Choice, Item, Kind, Question, Response, Scores, keyed_rng
from judgesmith.stages.evaluate.labelled_side import LabelledSide
from judgesmith.stages.evaluate.rules import by_rule, constant_rule, longer_rule, random_rule
from judgesmith.stages.evaluate.words_alone import learn_words
from judgesmith.tasks import BaselineRule, Task, key_judgment

NO_TRAINING = "no training label is a score, so the middle of the scale"


def rule_judges(
    found: LabelledSide, task: Task, key_policies: Sequence[str], dialect: Dialect, seed: int
) -> list[Judge]:
    """Further people, answer keys, the task's own rules, and the plain ones."""
    people = [
        Judge(f"person {name}", "person", True, found.beside, _reads(verdicts))
        for name, verdicts in sorted(found.others.items())
    ]
    keys = [
        by_rule(f"answer key ({p})", "key", _key_rule(task, p, dialect), *_shown(found))
        for p in key_policies
    ]
    scale = verdict_scale(dialect).values
    common = list(found.training_labels.values())
    if not common and TIE not in scale:
        common = [scale[0]]
    plain: dict[str, BaselineRule] = {
        "random": random_rule(scale, seed), CONSTANT: constant_rule(common),
    }  # fmt: skip
    if all(item.kind is Kind.PAIR for item in found.items):
        of_pairs: dict[str, BaselineRule] = {
            **task.baselines(),
            "longer response": longer_rule(dialect.direction),
            "words alone": learn_words(found.training, found.training_labels, found.responses),
        }
        known = {*scale, *found.labels.values()}
        if not (found.training_labels or TIE in known):
            del of_pairs["words alone"]  # it has learned nothing, and could not even say so
        plain = {name: _on_scale(rule, known) for name, rule in of_pairs.items()} | plain
    rules = [by_rule(name, "baseline", rule, *_shown(found)) for name, rule in plain.items()]
    return [*people, *keys, *rules]


def _on_scale(rule: BaselineRule, known: set[str]) -> BaselineRule:
    """The rule without verdicts that neither judges nor labels can give, as a tie where none is."""

    def kept(question: Question, responses: Sequence[Response]) -> Choice | None:
        found = rule(question, responses)
        return found if found is not None and found.value in known else None

    return kept


def _shown(
    found: LabelledSide,
) -> tuple[tuple[Item, ...], dict[str, Question], dict[str, Response]]:
    return found.items, found.questions, found.responses


def _reads(verdicts: Mapping[str, str]) -> dict[ItemKey, Read]:
    return {item: Read(value, value, value) for item, value in verdicts.items()}


def _key_rule(task: Task, policy: str, dialect: Dialect) -> BaselineRule:
    asked = dialect.model_copy(update={"scale": verdict_scale(dialect)})

    def rule(question: Question, responses: Sequence[Response]) -> Choice | None:
        found = key_judgment(task, question, responses, policy, asked)
        verdict = None if found is None else found.verdict
        return verdict if isinstance(verdict, Choice) else None

    return rule


def score_rule_judges(
    found: LabelledSide, rows: Sequence[tuple[Item, Scored]], task: Task,
    key_policies: Sequence[str], dialect: Dialect, seed: int,
) -> list[ScoreJudge]:  # fmt: skip
    """Further people, answer keys, and rules: the longer response, random, mean and constant.

    The longer response's "score" is its number of words, which has a correlation and no agreement.
    """
    people = [
        ScoreJudge(
            f"person {name}", "person", found.beside,
            {key: ScoreRead(float(value)) for key, value in told.items()},
        )
        for name, told in sorted(found.others.items())
    ]  # fmt: skip
    keys = [
        ScoreJudge(f"answer key ({p})", "key", "", _key_scores(found, task, p, dialect))
        for p in key_policies
    ]
    return [*people, *keys, *_score_rules(found, rows, dialect.scale.values, seed)]


def _score_rules(
    found: LabelledSide, rows: Sequence[tuple[Item, Scored]], scale: Sequence[str], seed: int
) -> list[ScoreJudge]:
    learnt = list(found.training_labels.values())
    counts = Counter(sorted(learnt))
    common = counts.most_common(1)[0][0] if counts else scale[(len(scale) - 1) // 2]
    mean = sum(map(float, learnt)) / len(learnt) if learnt else float(common)
    words = _words(found)
    keys = [str(row.item_id) for _, row in rows]
    given: dict[str, tuple[str, list[float]]] = {
        "longer response": ("by its number of words", [words[_without_criterion(k)] for k in keys]),
        "random": ("", [float(keyed_rng(seed, "random judge", k).choice(scale)) for k in keys]),
        "mean": (f"always {mean:.2f}, the mean of the training labels", [mean] * len(keys)),
        CONSTANT: (f"always {common}, the most common training label", [float(common)] * len(keys)),
    }
    if not learnt:
        given["mean"], given[CONSTANT] = ((NO_TRAINING, given[n][1]) for n in ("mean", CONSTANT))
    return [
        ScoreJudge(
            name, "baseline", note,
            {key: ScoreRead(score) for key, score in zip(keys, scores, strict=True)},
            on_scale=name != "longer response",
        )
        for name, (note, scores) in given.items()
    ]  # fmt: skip


def _without_criterion(key: str) -> str:
    return key.partition(CRITERION)[0]


def _words(found: LabelledSide) -> dict[str, float]:
    """Words of each response, by the key of its score without criterion."""
    words: dict[str, float] = {}
    for item in found.items:
        alone = len(item.response_ids) == 1
        for name in item.response_ids:
            length = float(len(found.responses[name].text.split()))
            words[item.id if alone else name] = length
    return words


def _key_scores(
    found: LabelledSide, task: Task, policy: str, dialect: Dialect
) -> dict[ItemKey, ScoreRead]:
    """The answer key's scores of the labelled items, where it has any."""
    reads: dict[ItemKey, ScoreRead] = {}
    for item in found.items:
        shown = [found.responses[name] for name in item.response_ids]
        told = key_judgment(task, found.questions[item.question_id], shown, policy, dialect)
        if told is not None and isinstance(told.verdict, Scores):
            scores = score_units(told.verdict, item)
            reads |= {key: ScoreRead(score) for key, score in scores.items()}
    return reads
