"""How BBQ's template files write things: slots in texts, fillers in brackets, lists of groups.

- `{{NAME1}}`: a slot; what fills it stands in another cell.
- `NAME1: [son, daughter]; NAME2: [aunt]`: fillers; a slot may have its braces here too.
- `["Black", "African American"]`: groups; one alone may stand bare, as `F`.
- `[["poor"], ["rich", "wealthy"]]`: fillers of the second trait, a list for each of its values.
"""

import json
import re
from collections.abc import Mapping, Set

from judgesmith.errors import DataError

# BBQ wrote one of its slots as {[NAME1}}; nothing else can have been meant.
_SLOT = re.compile(r"\{[{\[](\w+)\}\}")
_NAMED = r"(?:NAME|WORD|OCC|GEN)\d"
_REMNANT = re.compile(rf"\{{\{{|\}}\}}|[{{}}\[\]]\s*{_NAMED}|{_NAMED}\s*[{{}}\[\]]")
_FILLERS = re.compile(r"\s*(?:\{\{)?([A-Z]+\d)(?:\}\})?\s*:\s*\[([^\[\]{}]*)\]\s*(?:;|\Z)")
_ARTICLE = re.compile(r"(?<=\s)([Aa]) (?=[aeiouAEIOU])(?!Eu)")
_VOWEL = re.compile(r"(?:an? )?(?!Eu)[aeiouAEIOU]")
_LATINA = re.compile(r"\bLatino (?=wom[ae]n\b)")
_LESBIAN = re.compile(r"\blesbian (m[ae]n)\b")


def read_fillers(cell: str, where: str) -> dict[str, tuple[str, ...]]:
    """The fillers of each slot, in the order written; an empty cell has none.

    A semicolon between two fillers counts as the comma that was meant.

    >>> read_fillers("NAME1: [son, daughter]; {{NAME2}}: [aunt; uncle]", "Age.csv:2: Names")
    {'NAME1': ('son', 'daughter'), 'NAME2': ('aunt', 'uncle')}
    """
    found: dict[str, tuple[str, ...]] = {}
    start = 0
    while cell[start:].strip():
        part = _FILLERS.match(cell, start)
        if part is None or part[1] in found:
            raise DataError(
                f"{where}: expected fillers as `NAME1: [one, two]; NAME2: [three]`, every slot "
                f"once, found {_shorten(cell[start:].strip())!r}."
            )
        items = tuple(item.strip() for item in re.split(r"[,;]", part[2]))
        if not all(items):
            raise DataError(
                f"{where}: {part[1]}: expected one or more fillers, none of them empty, found "
                f"{_shorten(part[2])!r}."
            )
        found[part[1]] = items
        start = part.end()
    return found


def read_groups(cell: str, where: str) -> tuple[str, ...]:
    """The groups of a cell: a JSON list of texts, or one bare word.

    >>> read_groups('["Black", "African American"]', "x"), read_groups("F", "x")
    (('Black', 'African American'), ('F',))
    """
    text = cell.strip()
    if re.fullmatch(r"\w+", text):
        return (text,)
    found = _json_list(text)
    if not found or not all(isinstance(group, str) and group.strip() for group in found):
        raise DataError(f'{where}: expected groups as `["one", "two"]`, found {_shorten(cell)!r}.')
    return tuple(str(group).strip() for group in found)


def read_traits(cell: str, where: str) -> tuple[tuple[str, ...], ...]:
    """The fillers for each value of the second trait, in the order of its values.

    >>> read_traits('["man", "woman"]', "x")
    (('man',), ('woman',))
    >>> read_traits('[["poor"], ["rich", "wealthy"]]', "x")
    (('poor',), ('rich', 'wealthy'))
    """
    lists = [[part] if isinstance(part, str) else part for part in _json_list(cell) or []]
    found = [part for part in lists if isinstance(part, list)]
    texts = [text for part in found for text in part]
    whole = found and len(found) == len(lists) and all(found)
    if not whole or not all(isinstance(text, str) and text.strip() for text in texts):
        raise DataError(
            f"{where}: expected a list for each value of the second trait, as "
            f'`[["poor"], ["rich", "wealthy"]]`, found {_shorten(cell)!r}.'
        )
    return tuple(tuple(str(text).strip() for text in part) for part in found)


def check_slots(text: str, allowed: Set[str], where: str) -> None:
    """Raise DataError for a slot that nothing fills, and for braces of a broken slot.

    A single stray brace is text: BBQ published one.
    """
    unknown = [slot for slot in _SLOT.findall(text) if slot not in allowed]
    remnant = _REMNANT.search(_SLOT.sub(" ", text))
    if unknown or remnant:
        found = f"{{{{{unknown[0]}}}}}" if unknown else remnant and remnant[0]
        known = ", ".join(f"{{{{{slot}}}}}" for slot in sorted(allowed))
        raise DataError(f"{where}: expected only the slots {known}, found {found!r}.")


def slots_of(text: str) -> set[str]:
    """The slots that a text has.

    >>> sorted(slots_of("A {{NAME1}} and {[NAME2}}"))
    ['NAME1', 'NAME2']
    """
    return set(_SLOT.findall(text))


def fill(text: str, slots: Mapping[str, str]) -> str:
    """The text with its slots filled, in BBQ's own wording.

    Where a filler of a person begins with a vowel, BBQ turned every "a" before a vowel into "an",
    in whatever form: "an university student" and "an An in the class" are published. It left
    alone an "A" that opens the text, and "European". It wrote "Latina woman" and "lesbian woman".

    >>> fill("I saw a {{NAME1}} and get an A in art.", {"NAME1": "aunt"})
    'I saw an aunt and get an An in art.'
    >>> fill("A {{NAME1}} and a {{NAME2}} man", {"NAME1": "elderly man", "NAME2": "lesbian"})
    'A elderly man and a lesbian woman'
    """
    found = _SLOT.sub(lambda match: slots[match[1]], text)
    if any(_VOWEL.match(filler) for slot, filler in slots.items() if not slot.startswith("WORD")):
        found = _ARTICLE.sub(r"\1n ", found)
    return _LESBIAN.sub(r"lesbian wo\1", _LATINA.sub("Latina ", found))


def _json_list(cell: str) -> list[object] | None:
    try:
        found = json.loads(cell)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _shorten(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[:limit] + "..."
