"""What a trained folder came from: its dialects, its base, and how long its replies were.

It lies beside the weights as `judgesmith.json`, so that a student is never asked in another
dialect, and an adapter never laid over another base, without anybody noticing.
"""

import hashlib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from judgesmith.backends.base_weights import weights_hash
from judgesmith.errors import DataError, ModelError
from judgesmith.judging.dialect import Dialect

FILE, POINTER = "judgesmith.json", "path.txt"
_BASE_FILES = ("config.json", "tokenizer.json")
_MARGIN, _SPARE = 1.25, 16


class ReplyTokens(BaseModel):
    """Lengths of the training replies in tokens, the end of the turn included.

    Percentiles are the smallest length that at least that share of the replies does not exceed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    p50: int = Field(gt=0)
    p99: int = Field(gt=0)
    max: int = Field(gt=0)

    @classmethod
    def of(cls, lengths: Sequence[int]) -> "ReplyTokens":
        """The numbers of at least one reply.

        >>> ReplyTokens.of([10, 30, 20])
        ReplyTokens(p50=20, p99=30, max=30)
        """
        return cls(p50=percentile(lengths, 50), p99=percentile(lengths, 99), max=max(lengths))


class Origin(BaseModel):
    """Where a model or adapter folder comes from.

    `dialects` are the hashes of the dialects of its rows, by name. `base` is what training started
    from: a hub name, or a folder, relative to this one where it lies in the same run. `base_hash`
    is that of a folder's config and tokenizer, `base_weights` that of its weights
    (`base_weights.weights_hash`); both are None for a hub name, the second in older folders, too.
    `quantize` is how the base was stored while the adapter was trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    dialects: dict[str, str]
    base: str
    base_hash: str | None
    reply_tokens: ReplyTokens | None
    quantize: str | None = None
    base_weights: str | None = None


def percentile(values: Sequence[int], share: int) -> int:
    """The smallest value that at least `share` per cent of the values do not exceed.

    >>> percentile([1, 2, 3, 4], 50), percentile(range(1, 101), 95), percentile([7], 99)
    (2, 95, 7)
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def reply_budget(origin: Origin, most: int = 4096) -> int | None:
    """Tokens that a reply of this student may need: a quarter over its p99 and 16 more.

    At most `most`; None where the lengths of its replies are not known.

    >>> lengths = ReplyTokens(p50=80, p99=100, max=130)
    >>> origin = Origin(dialects={}, base="b", base_hash=None, reply_tokens=lengths)
    >>> reply_budget(origin), reply_budget(origin, most=96)
    (141, 96)
    """
    if origin.reply_tokens is None:
        return None
    return min(most, math.ceil(origin.reply_tokens.p99 * _MARGIN) + _SPARE)


def base_hash(base: str | Path) -> str | None:
    """SHA-256 over a folder's config.json and tokenizer.json; None for a hub name."""
    folder = Path(base)
    if not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for name in _BASE_FILES:
        file = folder / name
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()


def origin_of(
    base: str, folder: Path, *, dialects: Mapping[str, str], replies: Sequence[int],
    quantize: str | None = None,
) -> Origin:  # fmt: skip
    """The origin of the student that is to lie in `folder`; `replies` are lengths in tokens."""
    return Origin(
        dialects=dict(dialects), base=told_base(base, folder), base_hash=base_hash(base),
        reply_tokens=ReplyTokens.of(replies) if replies else None, quantize=quantize,
        base_weights=weights_hash(Path(base)),
    )  # fmt: skip


def told_base(base: str, folder: Path) -> str:
    """The base as `folder` names it: relative where both lie in one run, which may be moved."""
    place, run = Path(base).resolve(), folder.resolve().parent.parent
    if not place.is_dir():
        return base
    return os.path.relpath(place, folder.resolve()) if place.is_relative_to(run) else str(place)


def write_origin(folder: Path, origin: Origin) -> None:
    """Write the origin beside the weights."""
    (folder / FILE).write_text(origin.model_dump_json(indent=1) + "\n")


def read_origin(folder: str | Path) -> Origin | None:
    """The origin of a folder; None where there is none, as in any model not trained here.

    Raises ModelError where the file is not an origin.
    """
    file = Path(folder) / FILE
    if not file.is_file():
        return None
    try:
        return Origin.model_validate_json(file.read_bytes())
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, defect['loc'])) or 'file'}: {defect['msg']}"
            for defect in error.errors(include_url=False)
        )
        raise ModelError(
            f"{file}: expected where this model comes from ({', '.join(Origin.model_fields)}); "
            f"{told}. Train it again, or take the file away to use it unchecked."
        ) from None


def model_path(folder: Path) -> str:
    """The model that a folder of a run stands for: what its path.txt names, else itself."""
    pointer = folder / POINTER
    return pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else str(folder)


def require_trained_in(
    origin: Origin | None, dialect: Dialect, *, student: str, strangers: bool = False
) -> None:
    """Refuse to ask a student in a dialect that has changed since it was trained.

    With `strangers` it may be asked in one that it was never trained in: its replies then say how
    far their format carries. A student that was not trained here is asked in any.

    Raises:
        DataError: naming the dialects that it was trained in.
    """
    if origin is None or not origin.dialects:
        return
    known = origin.dialects.get(dialect.name)
    unknown = dialect.hash not in origin.dialects.values()
    if known not in (None, dialect.hash) or (unknown and not strangers):
        trained = ", ".join(f"{name!r} ({held})" for name, held in origin.dialects.items())
        raise DataError(
            f"student {student!r} was trained in dialect {trained}, and {dialect.name!r} is now "
            f"{dialect.hash}. Train it again, ask it in the dialect of its rows, or leave it out."
        )


def require_base(origin: Origin, base: str, folder: Path) -> None:
    """Refuse an adapter whose base, as it lies there now, is another one than in training."""
    if not Path(base).is_dir():
        return
    held: dict[str, tuple[str | None, Callable[[str], str | None]]] = {
        "config.json or tokenizer.json has": (origin.base_hash, base_hash),
        "weights have": (origin.base_weights, lambda path: weights_hash(Path(path))),
    }
    for what, (expected, compute) in held.items():
        found = compute(base) if expected is not None else None
        if expected is not None and found is not None and found != expected:
            raise ModelError(
                f"{folder}: this adapter was trained on another base than {base}: its {what} "
                f"changed (expected hash {expected[:12]}, found {found[:12]}). Give it the base "
                "that it was trained on."
            )
