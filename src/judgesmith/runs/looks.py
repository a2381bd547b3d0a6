"""How often test labels were compared with a judge: every look can be a choice made on them."""

import orjson

from judgesmith.runs.jsonl import read_rows, write_bytes
from judgesmith.runs.layout import RunDir

LOOKS = "test_looks.jsonl"


def record_look(run_dir: RunDir, what: str) -> int:
    """Note one look and return how many there were; the same verdicts again are the same look."""
    path = run_dir.file(LOOKS)
    seen = [str(row["look"]) for _, row in read_rows(path)] if path.exists() else []
    if what not in seen:
        seen.append(what)
        lines = b"".join(
            orjson.dumps({"look": look}, option=orjson.OPT_APPEND_NEWLINE) for look in seen
        )
        write_bytes(path, lines)
    return len(seen)
