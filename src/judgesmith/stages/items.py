"""Responses -> items: pairs drawn into buckets by the recipe's rules, or imported.

    in   questions/questions.jsonl, responses/responses.jsonl, and files of existing pairs
    out  items/items.jsonl
    run  judgesmith run RECIPE --until items

A rule draws pairs of two responses to one question. Buckets are filled in the order of the recipe,
and a pair that is used once is never used again. Which pairs are taken and which response stands
first is drawn from the seed and the pair's id. A call that failed gave no response to draw.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from pydantic import Field

from judgesmith.audits import (
    ConfoundItem,
    Finding,
    StyledResponse,
    SupplyCount,
    confound_findings,
    confound_table,
    stop_on_errors,
    supply_findings,
    supply_rows,
)
from judgesmith.backends.hub import find_source, place_of
from judgesmith.errors import RecipeError, nearest
from judgesmith.models.protocol import ModelOpener
from judgesmith.records import (
    Finish,
    Item,
    JsonScalar,
    Kind,
    Question,
    Response,
    index_by_id,
    keyed_rng,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.sources import Import, import_files
from judgesmith.sources.item_imports import FromScores, ready_items
from judgesmith.tasks import task_of

VERSION = 3
OUTPUTS = ("items/items.jsonl",)


class Range(Section):
    """Bounds on a number, both included."""

    min: float | None = None
    max: float | None = None

    def holds(self, value: object) -> bool:
        """Whether a value is a number inside the bounds."""
        if not isinstance(value, int | float):
            return False
        above = self.min is None or value >= self.min
        return above and (self.max is None or value <= self.max)


Pattern = dict[str, JsonScalar | Range]
"""What the task fields of a response, or of a question, must be: a value, or a range."""


class BucketRule(Section):
    """How a bucket is filled.

    One response matches `first`, the other `second`, and their question `question`. `ratio` asks
    that a number of the first is at least so many times that of the second; `differs` that the two
    have different values of a field; `other_generator` that different models wrote them.
    """

    name: str
    subtype: str | None = None
    question: Pattern = Field(default_factory=dict)
    first: Pattern
    second: Pattern
    differs: tuple[str, ...] = ()
    ratio: dict[str, float] = Field(default_factory=dict)
    other_generator: bool = True
    quota: int = Field(ge=0)
    cap_per_question: int = Field(4, gt=0)

    @property
    def label(self) -> str:
        """Bucket and subtype as one name."""
        return self.name if self.subtype is None else f"{self.name}/{self.subtype}"


class Config(Section):
    """Rules, or the name of the task's preset with its quotas scaled, or imported items.

    `from_scores` makes pairs of responses that were scored alone. Questions that have an imported
    item, or one from scores, get no drawn ones.
    """

    imports: tuple[Import, ...] = ()
    from_scores: FromScores | None = None
    preset: str | None = None
    quota_scale: float = Field(1.0, ge=0)
    buckets: tuple[BucketRule, ...] = ()


@runtime_checkable
class AuditsItems(Protocol):
    """A task that has audits of its own for items."""

    def audit_items(
        self,
        questions: Mapping[str, Question],
        responses: Mapping[str, Response],
        items: Sequence[Item],
    ) -> tuple[Mapping[str, Any], Sequence[Finding]]:
        """Tables by name, and findings."""
        ...


class Candidate(NamedTuple):
    """Two responses that fit a rule: `first` and `second` as the rule names them."""

    first: Response
    second: Response
    key: str


def inputs(config: Config) -> tuple[str, ...]:
    """Files of the run that this stage reads."""
    return ("questions/questions.jsonl", "responses/responses.jsonl")


def outside(config: Config) -> dict[str, Path]:
    """Files from outside the run, by the name the recipe gives them."""
    made = () if config.from_scores is None else config.from_scores.imports
    return import_files((*config.imports, *made), place_of)


def resolve_rules(
    config: Config, presets: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[BucketRule, ...]:
    """The recipe's own rules, after those of the preset it names, quotas scaled."""
    rules = list(config.buckets)
    if config.preset is not None:
        if config.preset not in presets:
            hint = nearest(config.preset, presets)
            raise RecipeError(f"items.preset: unknown preset {config.preset!r}; {hint}")
        rules = [BucketRule.model_validate(rule) for rule in presets[config.preset]] + rules
    scale = config.quota_scale
    return tuple(r.model_copy(update={"quota": round(r.quota * scale)}) for r in rules)


def matches(record: Response | Question, pattern: Pattern) -> bool:
    """Whether the record's task fields are as the pattern says.

    Raises RecipeError when the pattern names a field that such records do not have.
    """
    for field, wanted in pattern.items():
        value = _task_field(record, field)
        if not (wanted.holds(value) if isinstance(wanted, Range) else value == wanted):
            return False
    return True


def _task_field(record: Response | Question, field: str) -> object:
    if field not in record.task:
        named = "questions" if isinstance(record, Question) else "responses"
        raise RecipeError(
            f"items.buckets: {named} have no field {field!r}; {nearest(field, record.task)}"
        )
    return record.task[field]


def candidates(rule: BucketRule, responses: Sequence[Response]) -> Iterator[Candidate]:
    """All pairs of one question's responses that fit a rule, each pair once.

    Where both fit both patterns, the one with the smaller id is `first`, in whatever order the
    responses come.
    """
    seen: set[str] = set()
    for first, second in permutations(sorted(responses, key=lambda r: r.id), 2):
        if rule.other_generator and first.model == second.model:
            continue
        if not (matches(first, rule.first) and matches(second, rule.second)):
            continue
        if not all(_ratio_holds(first, second, *bound) for bound in rule.ratio.items()):
            continue
        if any(_task_field(first, field) == _task_field(second, field) for field in rule.differs):
            continue
        key = "/".join(sorted((first.id, second.id)))
        if key not in seen:
            seen.add(key)
            yield Candidate(first, second, key)


def _ratio_holds(first: Response, second: Response, field: str, least: float) -> bool:
    one, other = _task_field(first, field), _task_field(second, field)
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return numbers and float(one) >= least * float(other)  # type: ignore[arg-type]


def fill_bucket(
    rule: BucketRule, pool: Mapping[str, Sequence[Candidate]], used: set[str], seed: int
) -> tuple[list[Candidate], SupplyCount]:
    """Draw up to the quota, at most `cap_per_question` a question, from what is not used yet."""
    everything = [candidate for pairs in pool.values() for candidate in pairs]
    everything.sort(key=lambda c: keyed_rng(seed, "draw", rule.label, c.key).random())
    per_question: Counter[str] = Counter()
    drawn: list[Candidate] = []
    for candidate in everything:
        question = candidate.first.question_id
        full = per_question[question] >= rule.cap_per_question
        if len(drawn) < rule.quota and candidate.key not in used and not full:
            drawn.append(candidate)
            used.add(candidate.key)
            per_question[question] += 1
    count = SupplyCount(
        bucket=rule.label,
        pool=len(everything),
        ceiling=sum(min(len(pairs), rule.cap_per_question) for pairs in pool.values()),
        quota=rule.quota,
        filled=len(drawn),
    )
    return drawn, count


def draw_items(
    rules: Sequence[BucketRule], responses: Iterable[Response],
    questions: Mapping[str, Question], seed: int,
) -> tuple[list[Item], list[SupplyCount]]:  # fmt: skip
    """Items of all buckets in the order of the rules, and what was counted on the way."""
    by_question: dict[str, list[Response]] = defaultdict(list)
    for response in responses:
        by_question[response.question_id].append(response)
    items: list[Item] = []
    counts: list[SupplyCount] = []
    used: set[str] = set()
    for rule in rules:
        pool = {
            question: list(candidates(rule, found))
            for question, found in by_question.items()
            if matches(questions[question], rule.question)
        }
        drawn, count = fill_bucket(rule, pool, used, seed)
        counts.append(count)
        items += [_item(candidate, rule, questions, seed) for candidate in drawn]
    return items, counts


def _item(pair: Candidate, rule: BucketRule, questions: Mapping[str, Question], seed: int) -> Item:
    order = [pair.first, pair.second]
    if keyed_rng(seed, "slot", pair.key).random() < 0.5:
        order.reverse()
    question = questions[pair.first.question_id]
    return Item.make(
        source=" and ".join(sorted({r.source for r in order})),
        licence="; ".join(sorted({question.licence, *(r.licence for r in order)})),
        kind=Kind.PAIR,
        question_id=question.id,
        response_ids=tuple(r.id for r in order),
        bucket=rule.name,
        subtype=rule.subtype,
        split=None,
    )


def ingredients(rule: BucketRule) -> str:
    """What a bucket's items are made of, in words: what to generate more of when it is short.

    >>> second = {"words": {"min": 5}}
    >>> rule = BucketRule(name="x", first={"class": "biased"}, second=second, quota=1)
    >>> ingredients(rule)
    'responses with class = biased beside responses with words >= 5'
    >>> ingredients(rule.model_copy(update={"question": {"form": "long"}, "differs": ("letter",)}))
    'responses with class = biased beside responses with words >= 5 and another letter, to questions
    with form = long'
    """
    first, second = (
        "responses with " + ", ".join(_condition(*entry) for entry in pattern.items())
        for pattern in (rule.first, rule.second)
    )
    another = "".join(f" and another {field}" for field in rule.differs)
    asked = ", ".join(_condition(*entry) for entry in rule.question.items())
    return f"{first} beside {second}{another}" + (f", to questions with {asked}" if asked else "")


def _condition(field: str, wanted: JsonScalar | Range) -> str:
    if not isinstance(wanted, Range):
        return f"{field} = {str(wanted).lower() if isinstance(wanted, bool) else wanted}"
    bounds = ((">=", wanted.min), ("<=", wanted.max))
    return " and ".join(f"{field} {sign} {value:g}" for sign, value in bounds if value is not None)


def styled(
    item: Item, responses: Mapping[str, Response], rules: Sequence[BucketRule]
) -> ConfoundItem:
    """The item for the confound audit; flagged is the response that its bucket's `first` names."""
    shown = [responses[i] for i in item.response_ids]
    own = [r for r in rules if r.name == item.bucket and r.first != r.second]
    exact = [r for r in own if r.subtype == item.subtype]
    patterns = [r.first for r in exact or own]
    fits = [any(matches(response, p) for p in patterns) for response in shown]
    contrast = sum(fits) == 1
    return ConfoundItem(
        item_id=item.id,
        bucket=item.bucket,
        responses=tuple(
            StyledResponse(flagged=fit and contrast, generator=r.model, text=r.text)
            for fit, r in zip(fits, shown, strict=True)
        ),
    )


def run(config: Config, run_dir: RunDir, models: ModelOpener) -> StageReport:
    """Import or draw the items, and audit supply and confounds."""
    task = task_of(run_dir.header)
    questions = index_by_id(run_dir.read("questions/questions.jsonl", Question))
    responses = index_by_id(run_dir.read("responses/responses.jsonl", Response))
    imported, left_out, from_scores = ready_items(
        config.imports, config.from_scores, questions, responses, seed=run_dir.seed,
        find=find_source,
    )  # fmt: skip
    rules = resolve_rules(config, task.bucket_presets)
    taken = {item.question_id for item in imported}
    free = [
        r for r in responses.values() if r.question_id not in taken and r.finish != Finish.FAILED
    ]
    drawn, counts = draw_items(rules, free, questions, run_dir.seed)
    items = list(index_by_id([*imported, *drawn]).values())
    supply = supply_rows(counts if free else ())
    table = confound_table(
        [styled(item, responses, rules or _preset_rules(task.bucket_presets)) for item in items],
        hedge_phrases=task.hedge_phrases,
    )
    short = supply_findings(supply, ingredients={rule.label: ingredients(rule) for rule in rules})
    stop_on_errors(short)
    own_tables, own_findings = (
        task.audit_items(questions, responses, items) if isinstance(task, AuditsItems) else ({}, ())
    )
    findings = (*short, *confound_findings(table), *own_findings)
    run_dir.write(OUTPUTS[0], items)
    admissible = sum(row.pool for row in supply) + len(imported)
    dropped = {
        "over quota, cap, or used by an earlier bucket": sum(r.pool - r.filled for r in supply),
        "the same pair imported twice": len(imported) + len(drawn) - len(items),
        **left_out,
    }
    return StageReport(
        taken=admissible + left_out.total(),
        made=len(items),
        dropped={reason: n for reason, n in dropped.items() if n},
        tables={
            "supply": [row.to_dict() for row in supply],
            **({"pairs from scores": from_scores} if from_scores else {}),
            "confounds": table.to_dict(),
            "findings": [finding.to_dict() for finding in findings],
            "items by bucket": dict(sorted(Counter(i.bucket for i in items).items())),
            **own_tables,
        },
    )


def _preset_rules(presets: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[BucketRule, ...]:
    """Rules by which imported items are read when the recipe draws none itself."""
    rules = next(iter(presets.values()), ())
    return tuple(BucketRule.model_validate(rule) for rule in rules)
