"""A mapping says in YAML how somebody's file holds judgments and labels. It is data, not code.

Every text in a mapping is a template: `{column}` takes a value of the row, all else is constant.

    {winner}              the column `winner`
    {results.-1.winner}   a path into nested values: keys, and positions in lists (-1 is the last)
    {response 1}          a key may hold spaces
    {$row} {$file}        row number in the file, from 1; the file's name
    {$judge}              what `{judge}` stood for in the file's path pattern
    {vote.value}          the element of an `each` named `vote`; also {vote.key}, {vote.index}

A template of one brace pair gives the value as it is (a number stays a number, null stays null);
any other gives text. Raw verdicts are looked up in `read` by their JSON spelling: 1, true, null,
and "" for an empty cell. A value that is not listed is an error that names file, line and column.
"""

from typing import Literal

from pydantic import Field

from judgesmith.records import TIE, Direction, Status
from judgesmith.runs.recipe import Section

Template = str
UNPARSED = tuple(status.value for status in Status if status is not Status.PARSED)
"""What `read` may say besides a label: why a raw value holds no verdict."""

Role = Literal["judge", "person", "key"]


class Between(Section):
    """A preference written as a number from `first` (A surely) to `second` (B surely).

    The middle is a tie; so is every number in `ties`. AlpacaEval's 1 to 2 with 0 or 1.5 for a tie
    is `{value: "{preference}", first: 1, second: 2, ties: [0]}`.
    """

    value: Template
    first: float
    second: float
    ties: tuple[float, ...] = ()


class Votes(Section):
    """The judgments or labels that a row holds, one, or one for each element of a list.

    Exactly one of `verdict`, `between` and `scores` says what was decided. `scores` holds one
    score for a single response, or one for each response of a pair, whose verdict they then give
    (higher is better; equal is a tie). A verdict with `letters: shown` names the position shown,
    one with `letters: item` the response itself, in whatever order it was shown.

    `role` is `judge`, `person` or `key`; `by` who. `order` resolves to a value that `orders` turns
    into `stored` or `swapped`. `names` overrides the mapping's own direction. `when` keeps a row's
    votes only where the template gives one of the listed values (JSON spelling).
    """

    by: Template
    role: Role = "judge"
    each: dict[str, Template] = {}
    when: dict[Template, tuple[str, ...]] = {}
    verdict: Template | None = None
    read: dict[str, str] = {}
    between: Between | None = None
    scores: tuple[Template, ...] | None = None
    unscored: tuple[str, ...] = ()
    confidence: Template | None = None
    criterion: Template | None = None
    order: Template | None = None
    orders: dict[str, Literal["stored", "swapped"]] = {}
    letters: Literal["item", "shown"] = "item"
    sample: Template | None = None
    names: Direction | None = None
    rationale: Template | None = None
    reply: Template | None = None


class TableFile(Section):
    """Files of one form. `path` is a pattern below the data folder.

    In `path`, `*` stands for any part of one name, `**/` for any folders, and `{judge}` for a part
    that is used as `{$judge}`. A `.gz` at the end is tried too. `format` is found from the suffix
    (and, for `.json`, from the content: an array, an object, or JSON Lines); `rows` is the path to
    the list of rows inside a JSON object, or `*` for an object whose values are the rows (then
    `{$key}` is the row's key).

    `item` is the id that joins judgments and labels across files; without it the columns must give
    `question` and `responses`, whose hash it then is. `cluster` is what must be resampled together
    (by default the question's text, else the item). `each` makes one row into several.
    """

    path: str
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "hf"] | None = None
    rows: str | None = None
    each: dict[str, Template] = {}
    where: dict[Template, tuple[str, ...]] = {}
    item: Template | None = None
    cluster: Template | None = None
    question: Template | None = None
    reference: Template | None = None
    responses: tuple[Template, ...] = ()
    models: tuple[Template, ...] = ()
    fields: dict[str, Template] = {}
    votes: tuple[Votes, ...] = ()


class Mapping(Section):
    """One data set: what its verdicts mean, where they are, and under which licence.

    `kind` is `pair` or `single`. `scale` lists the allowed verdicts; `range` gives lowest and
    highest score instead. `labels` says what judges are measured against: `majority` or `mean` of
    the people, `key`, or the name of one annotator or judge. `teacher` and `student` name a judge
    and the one that learned from it, where the data set has both.
    """

    name: str
    title: str
    published: str
    licence: str
    kind: Literal["pair", "single"]
    names: Direction | None = None
    scale: tuple[str, ...] = ()
    tie: str | None = TIE
    range: tuple[float, float] | None = None
    labels: str = "majority"
    teacher: str | None = None
    student: str | None = None
    notes: tuple[str, ...] = ()
    files: tuple[TableFile, ...] = Field(min_length=1)
