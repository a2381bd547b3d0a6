"""A mapping to start from, guessed from the names of columns and the values of some rows."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from judgesmith.sources.decisions import as_number
from judgesmith.sources.templates import spell

ITEM = ("item", "item_id", "pair_id", "id", "idx", "example_id", "question_id", "uid", "custom_id")
QUESTION = ("question", "instruction", "prompt", "input", "query", "user_query", "question_text")
JUDGE = ("judge", "judge_model", "evaluator", "reviewer", "judge_name", "annotator")
VERDICT = (
    "verdict", "winner", "preference", "prediction", "pred", "judgment", "judgement", "decision",
    "choice", "better", "model_verdict",
)  # fmt: skip
LABEL = (
    "label", "gold", "human", "human_verdict", "gold_label", "final_label", "human_label",
    "majority", "majority_vote", "ground_truth", "target", "expected", "human_score",
)  # fmt: skip
SCORE = ("score", "rating", "grade", "model_score", "judge_score", "pred_score")
RESPONSE = ("response", "output", "answer", "completion", "model_output", "generation")
FIELDS = ("bucket", "category", "subset", "domain", "task", "dataset", "source", "language")
SIDES = (
    *(
        (f"{stem}{join}{a}", f"{stem}{join}{b}")
        for stem in ("response", "output", "answer", "completion", "assistant")
        for join in ("_", "", " ")
        for a, b in (("a", "b"), ("1", "2"), ("A", "B"))
    ),
    ("chosen", "rejected"),
)
MODELS = tuple(
    (f"{stem}{join}{a}", f"{stem}{join}{b}")
    for stem in ("model", "generator", "system")
    for join in ("_", "")
    for a, b in (("a", "b"), ("1", "2"), ("A", "B"))
)
_MOST_VALUES = 12
_LONGEST_VALUE = 60
_SIGNS = set("{}|?$")
_PERSON = re.compile(r"(annotator|annotation|human|rater|expert)[_ ]?\d+")
_UNPARSED = {"null", "", "-1", "garbage", "none", "error", "parse_fail", "invalid", "n/a", "nan"}
_TIES = {"tie", "tied", "both", "equal", "draw", "same", "c", "3", "1.5", "tie (bothbad)"}

Rows = Sequence[dict[str, Any]]


class _Decision(NamedTuple):
    column: str
    person: bool
    values: tuple[str, ...]
    numeric: bool


def draft_mapping(columns: Sequence[str], rows: Rows) -> str:
    """YAML of a mapping that reads the rows, as far as their columns' names say what they hold.

    Every guess is marked with a comment. The text loads as a mapping as it stands.
    """
    columns = [column for column in columns if column and not set(column) & _SIGNS]
    sides = _first_pair(SIDES, columns)
    models = _first_pair(MODELS, columns)
    unknown = _Decision(columns[-1] if columns else "verdict", False, (), False)
    decisions = list(_decisions(columns, rows)) or [unknown]
    numeric = all(decision.numeric for decision in decisions)
    single = sides is None and models is None and _first(RESPONSE, columns) is not None
    kind = "single" if single or (numeric and sides is None and models is None) else "pair"
    lines = [
        "name: my_data", "title: what these judgments are", "published: where they come from",
        "licence: under which terms they may be used", f"kind: {kind}  # or pair, single",
        *_scale(kind, decisions),
        "labels: majority  # of the people; or mean, key, the name of an annotator or a judge",
        "files:", '  - path: "**/*"',
    ]  # fmt: skip
    lines += [f"    {line}" for line in _file_lines(columns, kind, sides, models)]
    lines.append("    votes:")
    for decision in decisions:
        lines += _vote_lines(decision, kind, _first(JUDGE, columns), models, rows)
    return "\n".join(lines) + "\n"


def _first(names: Sequence[str], columns: Sequence[str]) -> str | None:
    lower = {column.lower(): column for column in reversed(columns)}
    return next((lower[name] for name in names if name in lower), None)


def _first_pair(pairs: Sequence[tuple[str, str]], columns: Sequence[str]) -> tuple[str, str] | None:
    return next((pair for pair in pairs if pair[0] in columns and pair[1] in columns), None)


def _decisions(columns: Sequence[str], rows: Rows) -> Iterator[_Decision]:
    people = [column for column in columns if _PERSON.fullmatch(column.lower())]
    named = [(_first(names, columns), False) for names in (VERDICT, SCORE)]
    named += [(_first(LABEL, columns), True), *((column, True) for column in people)]
    for column, person in named:
        if column is None:
            continue
        found = [spell(row[column]) for row in rows if column in row]
        values = tuple(dict.fromkeys(value for value in found if len(value) <= _LONGEST_VALUE))
        said = [value for value in values if value.lower() not in _UNPARSED]
        numbers = bool(said) and all(as_number(value) is not None for value in said)
        many = len(values) > _MOST_VALUES or any("." in v or len(v) > 1 for v in said)
        scores = "score" in column.lower() or "rating" in column.lower() or column in SCORE
        yield _Decision(column, person, values, scores or (numbers and many))


def _scale(kind: str, decisions: Sequence[_Decision]) -> list[str]:
    if kind == "pair":
        return ["names: better  # or worse: which response a verdict's letter names"]
    labels = [d for d in decisions if not d.numeric]
    if not labels:
        return []
    values = dict.fromkeys(v for d in labels for v in d.values if v.lower() not in _UNPARSED)
    listed = ", ".join(_quote(value) for value in list(values)[:_MOST_VALUES]) or '"yes", "no"'
    return [f"scale: [{listed}]  # all allowed verdicts"]


def _file_lines(
    columns: Sequence[str],
    kind: str,
    sides: tuple[str, str] | None,
    models: tuple[str, str] | None,
) -> Iterator[str]:
    item = _first(ITEM, columns)
    if item is not None:
        yield f"item: {_column(item)}  # joins judgments and labels across files and rows"
    question = _first(QUESTION, columns)
    if question is not None:
        yield f"question: {_column(question)}"
    response = _first(RESPONSE, columns)
    responses = sides if kind == "pair" else (response,) if response else None
    if responses is not None:
        yield f"responses: [{', '.join(_column(str(name)) for name in responses)}]"
    if item is None and (question is None or responses is None):
        yield 'item: "{$row}"  # NOT KNOWN: name the column that identifies an item'
    if kind == "pair" and models is not None:
        yield f"models: [{', '.join(_column(name) for name in models)}]"
    fields = [name for name in FIELDS if name in columns]
    if fields:
        yield f"fields: {{{', '.join(f'{name}: {_column(name)}' for name in fields)}}}"


def _vote_lines(
    decision: _Decision,
    kind: str,
    judge: str | None,
    models: tuple[str, str] | None,
    rows: Rows,
) -> Iterator[str]:
    by = _quote(decision.column) if decision.person else _column(judge or "$stem")
    yield f"      - by: {by}  # who judged"
    if decision.person:
        yield "        role: person  # or key, for an answer key"
    if decision.numeric and kind == "single":
        yield f"        scores: [{_column(decision.column)}]"
        unscored = [v for v in decision.values if as_number(v) is None]
        if unscored:
            yield f"        unscored: [{', '.join(map(_quote, unscored[:_MOST_VALUES]))}]"
        return
    ends = _preference(decision) if kind == "pair" else None
    if ends is not None:
        first, second = ends
        between = f"{{value: {_column(decision.column)}, first: {first}, second: {second}}}"
        yield f"        between: {between}  # CHECK: the numbers for surely A and surely B"
        unscored = [v for v in decision.values if as_number(v) is None]
        if unscored:
            yield f"        unscored: [{', '.join(map(_quote, unscored[:_MOST_VALUES]))}]"
        return
    yield f"        verdict: {_column(decision.column)}"
    yield "        read:  # raw value: verdict, or a status such as no_verdict, refused"
    reads = _read_pair(decision, models, rows) if kind == "pair" else _read_single(decision)
    for raw, meant, sure in reads:
        yield f"          {_quote(raw)}: {meant}{'' if sure else '  # CHECK: a guess'}"


def _preference(decision: _Decision) -> tuple[int, int] | None:
    """The ends of a preference that is written as a number with a fraction."""
    numbers = [as_number(value) for value in decision.values]
    found = [number for number in numbers if number is not None]
    if len(numbers) - len(found) > 2 or all(n.is_integer() or n in (0.5, 1.5) for n in found):
        return None  # 1, 2 and 1.5 for a tie are verdicts
    ends = ((0, 1), (1, 2), (-1, 1))
    return next((end for end in ends if end[0] <= min(found) and max(found) <= end[1]), None)


def _read_single(decision: _Decision) -> Iterator[tuple[str, str, bool]]:
    for value in decision.values[:_MOST_VALUES] or ("yes", "no"):
        unparsed = value.lower() in _UNPARSED
        yield value, "no_verdict" if unparsed else _quote(value), True


def _read_pair(
    decision: _Decision, models: tuple[str, str] | None, rows: Rows
) -> Iterator[tuple[str, str, bool]]:
    values = set(decision.values)
    sides = _sides_of(values, models, rows)
    sure = not sides[0].isdecimal()
    yield sides[0], "A", sure
    yield sides[1], "B", sure
    named = {spell(row[name]) for name in models or () for row in rows if name in row}
    for value in decision.values[: 2 * _MOST_VALUES]:
        if value in sides or (sides[0].startswith("{") and value in named):
            continue
        low = value.strip().lower()
        zero_tie = (low == "0" and "2" in values) or (low == "2" and sides == ("0", "1"))
        side = {one.lower(): letter for one, letter in zip(sides, "AB", strict=True)}.get(low)
        if side is not None:
            yield value, side, sure
        elif low in _UNPARSED:
            yield value, "no_verdict", True
        elif low in _TIES or zero_tie or low.startswith("tie"):
            yield value, "TIE", sure
        else:
            yield value, "no_verdict", False


def _sides_of(values: set[str], models: tuple[str, str] | None, rows: Rows) -> tuple[str, str]:
    """How the values say A and B."""
    if models is not None:
        named = {spell(row[name]) for name in models for row in rows if name in row}
        if values & named:
            return f"{{{models[0]}}}", f"{{{models[1]}}}"
    for pair in (("A", "B"), ("1", "2"), ("0", "1"), ("model_a", "model_b"), ("a", "b"),
                 ("model_1", "model_2"), ("left", "right"), ("first", "second"),
                 ("response_a", "response_b"), ("chosen", "rejected")):  # fmt: skip
        if values & set(pair) and not (pair == ("1", "2") and "0" in values and "2" not in values):
            return pair
    return "A", "B"


def _column(name: str) -> str:
    return _quote(f"{{{name}}}")


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
