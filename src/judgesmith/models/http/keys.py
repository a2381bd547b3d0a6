"""Keys: from the environment or a file outside the run, and out of everything that is shown.

A key is held by the client alone. No message of this module quotes one, or anything that may be
one by mistake.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote

from judgesmith.errors import RecipeError
from judgesmith.runs.endpoint import Endpoint

SHOWABLE = 7
"""How many characters of a key in a row may be shown: "sk-proj" is no secret."""
NO_SECRET = 4
"""A key shorter than this is a placeholder for a server that wants any key."""
HIDDEN = "[key]"


def find_key(endpoint: Endpoint, run_folder: Path | None = None) -> str | None:
    """The endpoint's key, or None where its recipe names none.

    `run_folder` is the folder of the run: a key file inside it is refused, as runs are shared.
    Raises RecipeError saying what to do where the key is absent, empty, not readable or not a key.
    """
    if endpoint.key_env is not None:
        return _from_environment(endpoint, endpoint.key_env)
    if endpoint.key_file is not None:
        return _from_file(endpoint, endpoint.key_file, run_folder)
    return None


def redact(text: str, key: str | None) -> str:
    """The text without the key: as it is, as it stands in a URL, or any long piece of it.

    Servers quote keys, and a message that was cut short may end inside one: every run of more than
    seven characters of the key is hidden. A key of fewer than four characters is no secret.

    >>> redact("wrong key sk-12345678 given", "sk-12345678")
    'wrong key [key] given'
    >>> redact("wrong key: sk-1234567", "sk-12345678")
    'wrong key: [key]'
    >>> redact("no key was given", None)
    'no key was given'
    """
    if key is None or len(key) < NO_SECRET:
        return text
    hidden = bytearray(len(text))
    for form in {key, quote(key, safe="")}:
        width = min(SHOWABLE + 1, len(form))
        for start in range(len(form) - width + 1):
            _mark(hidden, text, form[start : start + width])
    pieces = re.finditer(rb"\x01+|\x00+", bytes(hidden))
    return "".join(
        HIDDEN if hidden[piece.start()] else text[piece.start() : piece.end()] for piece in pieces
    )


def _mark(hidden: bytearray, text: str, part: str) -> None:
    found = text.find(part)
    while found >= 0:
        hidden[found : found + len(part)] = b"\x01" * len(part)
        found = text.find(part, found + 1)


def _from_environment(endpoint: Endpoint, name: str) -> str:
    where = f"model {endpoint.model!r}: `key_env` {name!r}"
    if name not in os.environ:
        raise RecipeError(
            f"{where}: expected the name of an environment variable that holds the key, found none "
            "of that name. Set it in the shell that runs judgesmith (`export NAME=...`), or give "
            "`key_file`."
        )
    return _checked(os.environ[name], where, "set the variable to the key alone")


def _from_file(endpoint: Endpoint, name: str, run_folder: Path | None) -> str:
    where = f"model {endpoint.model!r}: `key_file` {name!r}"
    path = Path(name).expanduser()
    if run_folder is not None and _is_inside(path, run_folder):
        raise RecipeError(
            f"{where}: expected a file outside the run folder {str(run_folder)!r}, found one in "
            "it. Runs are copied and shared: move the key elsewhere."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(
            f"{where}: expected a file with the key, found none there. Put the key alone on its "
            "only line, or correct `key_file`."
        ) from None
    except UnicodeDecodeError:
        raise RecipeError(f"{where}: expected a key as plain text, found other bytes.") from None
    except OSError as error:
        raise RecipeError(
            f"{where}: expected a file that can be read, found: {error.strerror}. Name a "
            "file with the key that this user may read."
        ) from None
    return _checked(text, where, "put the key alone on its first and only line")


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether the file, or the link that leads to it, lies in the folder."""
    # `absolute` leaves `..` in place, and `resolve` follows links: each alone can be led astray.
    places = (path.resolve(), Path(os.path.abspath(path)), path.parent.resolve() / path.name)
    return any(place.is_relative_to(folder.resolve()) for place in places)


def _checked(text: str, where: str, mend: str) -> str:
    key = text.strip()
    if not key:
        raise RecipeError(f"{where}: expected a key, found it empty; {mend}.")
    if not all("!" <= letter <= "~" for letter in key):
        raise RecipeError(
            f"{where}: expected a key of visible ASCII characters, found blanks, line breaks or "
            f"others among {len(key)} characters (not shown); {mend}."
        )
    return key
