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

from pydantic import Field, field_validator

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
    Kind,
    Question,
    Response,
    index_by_id,
    keyed_rng,
)
from judgesmith.runs.layout import RunDir
from judgesmith.runs.manifest import StageReport
from judgesmith.runs.recipe import Section
from judgesmith.sources import ITEM_READERS, Import, import_files, require_kinds
from judgesmith.sources.bucket_rules import BucketRule, Pattern, Range, ingredients
from judgesmith.sources.item_imports import SINGLES, FromScores, ready_items, single_items
from judgesmith.tasks import task_of

VERSION = 3
OUTPUTS = ("items/items.jsonl",)
NO_ITEMS = "; of your own responses `preset` (`singles` takes each alone) or `buckets` makes items"


class Config(Section):
    """Rules, or the name of the task's preset with its quotas scaled, or imported items.

    `from_scores` makes pairs of responses that were scored alone. Questions that have an imported
    item, or one from scores, get no drawn ones. The preset `singles` makes each response an item by
    itself, for judges of single responses; rules beside it draw pairs besides.
    """

    imports: tuple[Import, ...] = ()
    from_scores: FromScores | None = None
    preset: str | None = None
    quota_scale: float = Field(1.0, ge=0)
    buckets: tuple[BucketRule, ...] = ()

    @field_validator("imports")
    @classmethod
    def _can_be_read(cls, imports: tuple[Import, ...]) -> tuple[Import, ...]:
        require_kinds(imports, ITEM_READERS, else_=NO_ITEMS)
        return imports


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
    if config.preset is not None and config.preset != SINGLES:
        if config.preset not in presets:
            hint = nearest(config.preset, (*presets, SINGLES))
            raise RecipeError(f"items.preset: unknown preset {config.preset!r}; {hint}")
        rules = [BucketRule.model_validate(rule) for rule in presets[config.preset]] + rules
    scale = config.quota_scale
    wanted = (None if r.quota is None else round(r.quota * scale) for r in rules)
    return tuple(r.model_copy(update={"quota": n}) for r, n in zip(rules, wanted, strict=True))


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

    Where both fit both patterns, the one with the smaller id is `first`.
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
        wanted = rule.quota is None or len(drawn) < rule.quota
        if wanted and candidate.key not in used and not full:
            drawn.append(candidate)
            used.add(candidate.key)
            per_question[question] += 1
    count = SupplyCount(
        bucket=rule.label,
        pool=len(everything),
        ceiling=sum(min(len(pairs), rule.cap_per_question) for pairs in pool.values()),
        quota=max(len(drawn), 1) if rule.quota is None else rule.quota,
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
    answered = (r for r in responses.values() if r.finish != Finish.FAILED)
    free = [r for r in answered if r.question_id not in taken]
    try:
        drawn, counts = draw_items(rules, free, questions, run_dir.seed)
    except RecipeError as error:
        raise _of_preset(config, task.bucket_presets, free, error) from None
    drawn += single_items(free, questions) if config.preset == SINGLES else []
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
    filled = sum(row.filled for row in supply)
    admissible = sum(row.pool for row in supply) + len(imported) + len(drawn) - filled
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


def _of_preset(
    config: Config, presets: Mapping[str, Sequence[Mapping[str, Any]]],
    responses: Sequence[Response], error: RecipeError,
) -> RecipeError:  # fmt: skip
    """An error about a field that responses lack; the preset's name where that asks for it."""
    known = set.intersection(*(set(response.task) for response in responses))
    named = ("first", "second", "differs", "ratio")
    asked = {
        preset: {field for rule in rules for part in named for field in rule.get(part, ())}
        for preset, rules in presets.items()
    }
    fit = [preset for preset, fields in asked.items() if fields <= known]
    if config.preset is None or config.preset in fit:
        return error
    said = str(error).removeprefix("items.buckets: ")
    which = f"presets that fit these: {', '.join(fit)}" if fit else "no preset fits these"
    return RecipeError(f"items.preset: {config.preset!r} does not fit: {said}; {which}")


def _preset_rules(presets: Mapping[str, Sequence[Mapping[str, Any]]]) -> tuple[BucketRule, ...]:
    """Rules by which imported items are read when the recipe draws none itself."""
    rules = next(iter(presets.values()), ())
    return tuple(BucketRule.model_validate(rule) for rule in rules)
