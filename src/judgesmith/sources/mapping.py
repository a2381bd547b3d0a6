"""A mapping says in YAML how somebody's file holds judgments and labels. It is data, not code.

Every text in a mapping is a template: `{column}` takes a value of the row, all else is constant.

    {winner}              the column `winner`
    {results.-1.winner}   a path into nested values: keys, and positions in lists (-1 is the last)
    {response 1}          a key may hold spaces
    {bucket?}             null where the row has no such column; without ? that is an error
    {judge|$stem}         the first of these that the row has; 'text' in quotes is always there
    {$row}                row number in the file, from 1; {$key} is its key where `rows` ends in *
    {$file} {$stem}       the file's name; the same without its suffixes
    {$judge}              what `{judge}` stood for in the file's path pattern, whatever its name
    {$first} {$second}    the two `sides` of a row in their stored order
    {vote.value}          the element of an `each` named `vote`; also {vote.key}, and {vote.index}
                          from 0, which is the key in a list; later names may use earlier ones

`{{` and `}}` stand for the braces themselves. A key that holds a dot is found too. A template of
one brace pair gives the value as it is (a number stays a number, null stays null); any other gives
text, in which null is nothing. Raw verdicts are looked up in `read` by their JSON spelling: 1 (also
for 1.0), true, null, and "" for an empty cell. A value that is not listed is an error that names
file, line and column.
"""

from typing import Literal

from pydantic import Field

from judgesmith.records import TIE, Direction, Status
from judgesmith.runs.recipe import Section

Template = str
UNPARSED = tuple(status.value for status in Status if status is not Status.PARSED)
"""What `read` may say besides a label: why a raw value holds no verdict."""

Role = Literal["judge", "person", "key", "simulated"]


class Between(Section):
    """A preference written as a number from `first` (A surely) to `second` (B surely).

    The middle is a tie; so is every number in `ties`. AlpacaEval's 1 to 2 with 0 or 1.5 for a tie
    is `{value: "{preference}", first: 1, second: 2, ties: [0]}`. The verdict's probabilities are
    kept too: 1.25 is A with 0.75, a tie half and half. A number outside is off the scale.
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
    one with `letters: item` the response itself, in whatever order it was shown; so do scores.

    `read` turns a raw value into a label of the scale, or into a status that says why there is
    none (`no_verdict`, `refused` ...). Without `read` the raw values are the labels. With `between`
    and `scores` it is only for raw values that are no numbers, and may give a number; `unscored`
    lists raw values that simply mean `no_verdict`. A key of `read` may be a template:
    `{"{model_a}": A, "{model_b}": B, tie: TIE}` reads a winner that is given by name.

    `role` is `judge`, `person` or `key`; `by` who. `order` resolves to a value that `orders` turns
    into `stored` or `swapped`; `sample` to a number from 0, or to a value that `samples` turns into
    one. `confidence` is from 0 to 1; where it has another range, `confidence_range` gives lowest
    and highest, which become 0 and 1. `names` overrides the mapping's own direction.

    `when` keeps a row's votes only where the template gives one of the listed values (JSON
    spelling), `unless` only where it gives none of them. Where all columns of the decision are
    optional and absent, the row has no such vote; nor has it one that names nobody and decides
    nothing (both are empty).
    """

    by: Template
    role: Role = "judge"
    each: dict[str, Template] = Field(default_factory=dict)
    when: dict[Template, tuple[str, ...]] = Field(default_factory=dict)
    unless: dict[Template, tuple[str, ...]] = Field(default_factory=dict)
    verdict: Template | None = None
    read: dict[str, str] = Field(default_factory=dict)
    between: Between | None = None
    scores: tuple[Template, ...] | None = None
    unscored: tuple[str, ...] = ()
    confidence: Template | None = None
    confidence_range: tuple[float, float] | None = None
    criterion: Template | None = None
    order: Template | None = None
    orders: dict[str, Literal["stored", "swapped"]] = Field(default_factory=dict)
    letters: Literal["item", "shown"] = "item"
    sample: Template | None = None
    samples: dict[str, int] = Field(default_factory=dict)
    names: Direction | None = None
    rationale: Template | None = None
    reply: Template | None = None


class Part(Section):
    """A piece of a longer text: the first group of a regular expression, in which . is any sign.

    Null where the expression is nowhere found in what the template `of` gives.
    """

    of: Template
    pattern: str


class Lookup(Section):
    """A row of another file: the one whose `key` has the spelling of this row's `by`.

    `path` is a pattern as in `files`; the other file is read whole and kept while this one is
    read. Exactly one row must have the key.
    """

    path: str
    key: Template
    by: Template
    rows: str | None = None


class TableFile(Section):
    """Files of one form. `path` is a pattern below the data folder.

    In `path`, `*` stands for any part of one name, `**/` for any folders, and `{judge}` for a part
    that is used as `{$judge}`. A `.gz` at the end is tried too. `format` is found from the suffix
    (and, for `.json`, from the content: an array, an object, or JSON Lines); `rows` is the path to
    the list of rows inside a JSON object, or `*` for an object whose values are the rows (then
    `{$key}` is the row's key).

    `item` is the id that joins judgments and labels across files; without it, or where it is
    optional and absent, the columns must give `question` and `responses`, whose hash it then is.
    `cluster` is what must be resampled together (by default the question's text, else the item).

    `each` makes one row into several. `where` keeps only rows whose templates give one of the
    listed values, and `unless` leaves out those where any does; a row that does not meet `require`
    is an error. `parts` and `lookup` add named values to a row: pieces of a text, `{first}`, and
    rows of other files, `{pair.text}`; `by` of a lookup may use the parts.

    `sides` is for pairs that are listed in both orders in different rows: the names of the two
    sides as this row lists them. The stored order is the alphabetical one: a row that lists them
    the other way is turned (responses, models, letters, scores), and its judgments count as
    swapped. `{question_id}/{$first}/{$second}` is then the same item in both.
    """

    path: str
    format: Literal["jsonl", "json", "csv", "tsv", "parquet", "hf"] | None = None
    rows: str | None = None
    each: dict[str, Template] = Field(default_factory=dict)
    parts: dict[str, Part] = Field(default_factory=dict)
    where: dict[Template, tuple[str, ...]] = Field(default_factory=dict)
    unless: dict[Template, tuple[str, ...]] = Field(default_factory=dict)
    require: dict[Template, tuple[str, ...]] = Field(default_factory=dict)
    lookup: dict[str, Lookup] = Field(default_factory=dict)
    item: Template | None = None
    cluster: Template | None = None
    question: Template | None = None
    reference: Template | None = None
    responses: tuple[Template, ...] = ()
    models: tuple[Template, ...] = ()
    sides: tuple[Template, Template] | None = None
    fields: dict[str, Template] = Field(default_factory=dict)
    votes: tuple[Votes, ...] = ()


class Mapping(Section):
    """One data set: what its verdicts mean, where they are, and under which licence.

    `kind` is `pair` or `single`. `scale` lists the allowed verdicts; `range` gives lowest and
    highest score instead. `labels` says what judges are measured against: `majority` or `mean` of
    the people, `key`, or the name of one annotator or judge. `teacher` and `student` name a judge
    and the one that learned from it, where the data set has both. `scores_of` names, for a judge
    that gives verdicts, the judge that is the same model giving scores: the two are compared.
    `order_proof` names judges that score each response alone, and see no order.
    `folder` is where the files are below the data folder, by default the name.
    """

    name: str
    folder: str | None = None
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
    scores_of: dict[str, str] = Field(default_factory=dict)
    order_proof: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[TableFile, ...]
