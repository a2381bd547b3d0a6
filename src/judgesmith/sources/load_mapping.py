"""Read a mapping's YAML strictly: every error at once, each with its line."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from judgesmith.errors import RecipeError, nearest
from judgesmith.records import TIE, Status
from judgesmith.runs.recipe import Path_, Problem, load_section
from judgesmith.sources.decisions import as_number, scale_of
from judgesmith.sources.mapping import UNPARSED, Mapping, TableFile, Votes
from judgesmith.sources.patterns import captures_of
from judgesmith.sources.templates import TemplateError, compile_template

_NAME = re.compile(r"[A-Za-z_]\w*")
_ALWAYS = ("$row", "$file", "$stem")


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file.

    Raises RecipeError listing all defects, each with its line and, for an unknown key, the nearest
    valid name.
    """
    return load_section(path, Mapping, what="mapping", check=check_mapping)


def check_mapping(mapping: Mapping) -> Iterator[Problem]:
    """What a mapping says that cannot be meant: each place, and what is wrong there."""
    yield from _check_verdicts(mapping)
    if not mapping.files:
        yield ("files",), "expected at least one entry"
    for number, entry in enumerate(mapping.files):
        at: Path_ = ("files", number)
        yield from _check_file(entry, mapping, at)
        for place, votes in enumerate(entry.votes):
            yield from _check_votes(votes, mapping, (*at, "votes", place))


def require_sound(mapping: Mapping) -> None:
    """Raise RecipeError for a mapping, made in code, that cannot be meant."""
    problems = [f"{'.'.join(map(str, at))}: {what}" for at, what in check_mapping(mapping)]
    if problems:
        listed = "\n  ".join(problems)
        raise RecipeError(f"The mapping {mapping.name} has {len(problems)} error(s):\n  {listed}")


def _check_verdicts(mapping: Mapping) -> Iterator[Problem]:
    scale = scale_of(mapping)
    if mapping.kind == "pair":
        if mapping.names is None:
            yield (), "a pair needs `names`: better or worse, which response a letter names"
        if mapping.tie not in (TIE, None):
            yield ("tie",), f"expected {TIE}, or null where there is none, found {mapping.tie!r}"
        letters = {"A", "B", *([mapping.tie] if mapping.tie else [])}
        for value in set(scale) - letters:
            yield ("scale",), f"a pair's verdicts are A, B and `tie`, found {value!r}"
        if mapping.tie is not None and mapping.scale and mapping.tie not in mapping.scale:
            yield ("scale",), f"the tie {mapping.tie!r} is not listed; write `tie: null` for none"
    else:
        if mapping.names is not None:
            yield ("names",), "only a pair's letters name a better or a worse response"
    if len(set(scale)) < len(scale):
        yield ("scale",), "a verdict is listed twice"
    for value in sorted(set(scale) & set(UNPARSED)):
        yield ("scale",), f"{value!r} is a status, which says why there is no verdict; rename it"
    if mapping.range is not None and not mapping.range[0] < mapping.range[1]:
        yield ("range",), f"expected lowest and highest score, found {list(mapping.range)}"


def _check_file(entry: TableFile, mapping: Mapping, at: Path_) -> Iterator[Problem]:
    names = captures_of(entry.path)
    if entry.path.startswith("/") or ".." in entry.path.split("/"):
        yield (*at, "path"), f"expected a path below the data folder, found {entry.path!r}"
    if entry.item is None and (entry.question is None or not entry.responses):
        yield at, "without `item` there must be `question` and `responses`, whose hash it then is"
    wanted = 2 if mapping.kind == "pair" else 1
    for name, texts in (("responses", entry.responses), ("models", entry.models)):
        if texts and len(texts) != wanted:
            yield (*at, name), f"a {mapping.kind} has {wanted}, found {len(texts)}"
    if entry.sides is not None and mapping.kind != "pair":
        yield (*at, "sides"), "only a pair has two sides"
    if entry.rows is not None:
        if entry.format not in (None, "json"):
            yield (*at, "rows"), f"names a place inside JSON; the format is {entry.format}"
        if "*" in entry.rows.split(".")[:-1]:
            yield (*at, "rows"), "`*` may only stand last"
    known = {*_ALWAYS, *(f"${name}" for name in names)}
    known |= {"$key"} if entry.rows is not None and entry.rows.endswith("*") else set()
    known |= {"$first", "$second"} if entry.sides is not None else set()
    yield from _check_names(entry.each, (*at, "each"))
    yield from _check_added(entry, at)
    yield from _check_templates(_file_templates(entry, at), known)
    for place, votes in enumerate(entry.votes):
        yield from _check_templates(_vote_templates(votes, (*at, "votes", place)), known)


def _check_names(names: Iterable[str], at: Path_) -> Iterator[Problem]:
    for name in names:
        if not _NAME.fullmatch(name):
            yield (*at, name), f"expected a name of letters and digits, found {name!r}"


def _check_added(entry: TableFile, at: Path_) -> Iterator[Problem]:
    yield from _check_names(entry.parts, (*at, "parts"))
    yield from _check_names(entry.lookup, (*at, "lookup"))
    for name, part in entry.parts.items():
        try:
            groups = re.compile(part.pattern).groups
        except re.error as error:
            yield (*at, "parts", name), f"not a regular expression: {error}"
        else:
            if groups < 1:
                yield (*at, "parts", name), "the pattern needs a group, the (part) to take"
    for name, lookup in entry.lookup.items():
        known = {*_ALWAYS, "$key", *(f"${part}" for part in captures_of(lookup.path))}
        yield from _check_templates([((*at, "lookup", name), lookup.key)], known)


def _file_templates(entry: TableFile, at: Path_) -> Iterator[tuple[Path_, str]]:
    for name in ("item", "cluster", "question", "reference"):
        text = getattr(entry, name)
        if text is not None:
            yield (*at, name), text
    for name in ("responses", "models", "sides"):
        for place, text in enumerate(getattr(entry, name) or ()):
            yield (*at, name, place), text
    for name in ("each", "fields"):
        for key, text in getattr(entry, name).items():
            yield (*at, name, key), text
    for name in ("where", "unless", "require"):
        for text in getattr(entry, name):
            yield (*at, name, text), text
    for name, part in entry.parts.items():
        yield (*at, "parts", name), part.of
    for name, lookup in entry.lookup.items():
        yield (*at, "lookup", name), lookup.by


def _vote_templates(votes: Votes, at: Path_) -> Iterator[tuple[Path_, str]]:
    singles = (
        "by", "verdict", "confidence", "criterion", "order", "sample", "rationale", "reply"
    )  # fmt: skip
    for name in singles:
        text = getattr(votes, name)
        if text is not None:
            yield (*at, name), text
    if votes.between is not None:
        yield (*at, "between", "value"), votes.between.value
    for place, text in enumerate(votes.scores or ()):
        yield (*at, "scores", place), text
    for key, text in votes.each.items():
        yield (*at, "each", key), text
    for name in ("when", "unless", "read"):
        for text in getattr(votes, name):
            yield (*at, name, text), text


def _check_templates(texts: Iterable[tuple[Path_, str]], known: set[str]) -> Iterator[Problem]:
    for at, text in texts:
        try:
            template = compile_template(text)
        except TemplateError as error:
            yield at, str(error)
            continue
        for name in template.names:
            if name.startswith("$") and name not in known:
                yield at, f"{text!r}: {name!r} has no value here; {nearest(name, known)}"


def _check_votes(votes: Votes, mapping: Mapping, at: Path_) -> Iterator[Problem]:
    yield from _check_names(votes.each, (*at, "each"))
    given = [n for n in ("verdict", "between", "scores") if getattr(votes, n) is not None]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        yield at, f"expected exactly one of verdict, between and scores, found {found}"
    for text, values in votes.when.items():
        if not values:
            yield (*at, "when", text), "expected the values to keep, found an empty list"
    if votes.order is not None and not votes.orders:
        yield (*at, "order"), "needs `orders`: which value means stored, and which swapped"
    if votes.orders and votes.order is None:
        yield (*at, "orders"), "needs `order`: the column that holds these values"
    if votes.samples and votes.sample is None:
        yield (*at, "samples"), "needs `sample`: the column that holds these values"
    if votes.confidence_range is not None:
        low, high = votes.confidence_range
        if votes.confidence is None or not low < high:
            yield (*at, "confidence_range"), "needs `confidence`, and lowest before highest"
    if votes.letters == "shown" and votes.order is None:
        yield (*at, "letters"), "`shown` needs `order`: in which order the responses were shown"
    if mapping.kind == "single":
        yield from _check_single(votes, mapping, at)
    elif votes.scores is not None and len(votes.scores) != 2:
        yield (*at, "scores"), f"a pair has 2 scores, found {len(votes.scores)}"
    if votes.between is not None and votes.between.first == votes.between.second:
        yield (*at, "between"), "`first` and `second` are the same number"
    yield from _check_read(votes, mapping, at)


def _check_single(votes: Votes, mapping: Mapping, at: Path_) -> Iterator[Problem]:
    for name in ("between", "names", "order"):
        if getattr(votes, name) is not None:
            yield (*at, name), "only a pair has it"
    if votes.scores is not None and len(votes.scores) != 1:
        yield (*at, "scores"), f"a single response has 1 score, found {len(votes.scores)}"
    if votes.verdict is not None and not mapping.scale:
        yield (*at, "verdict"), "needs the mapping's `scale`: which verdicts are allowed"


def _check_read(votes: Votes, mapping: Mapping, at: Path_) -> Iterator[Problem]:
    scale = scale_of(mapping)
    for raw, value in votes.read.items():
        place = (*at, "read", raw)
        if value in UNPARSED:
            continue
        if value == Status.PARSED:
            yield place, "expected the verdict itself, or why there is none"
        elif votes.verdict is not None:
            if value not in scale:
                hint = nearest(value, [*scale, *UNPARSED])
                yield place, f"{value!r} is neither on the scale nor a status; {hint}"
        elif as_number(value) is None or votes.between is not None:
            what = "a status" if votes.between is not None else "a number or a status"
            yield place, f"expected {what}, found {value!r}; {nearest(value, UNPARSED)}"
        elif any(brace in raw for brace in "{}"):
            yield place, "only the values of `verdict` may be templates"
