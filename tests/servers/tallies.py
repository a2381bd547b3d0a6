"""What the server counts: calls, what was billed, and how many were open at a time."""

from collections import Counter
from typing import Any

BILLS = ("prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens")


class Tally:
    """Counts since the start or the last reset.

    A call is billed when the model would have run, whether or not its answer arrived. With
    `history` off nothing is kept per prompt, so that memory stays flat.
    """

    def __init__(self, history: bool = True) -> None:
        self.history = history
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.billed = [0, 0, 0, 0, 0]
        self.prompts: dict[str, list[int]] = {}
        self.open = 0
        self.peak = 0
        self.batches: Counter[str] = Counter()
        self.batch_billed = [0, 0, 0, 0, 0]
        self.custom_ids: Counter[str] = Counter()
        self.batch_prompts: Counter[str] = Counter()

    def seen(self, key: str) -> None:
        """A call with this prompt has arrived."""
        if self.history:
            kept = self.prompts.get(key)
            if kept is None:
                self.prompts[key] = [1, 0, 0, 0]
            else:
                kept[0] += 1

    def bill(self, key: str, tokens: tuple[int, int, int, int]) -> None:
        """The model ran for a single call."""
        add(self.billed, tokens)
        if self.history:
            kept = self.prompts[key]
            kept[1] += 1
            kept[2] += tokens[0]
            kept[3] += tokens[1]

    def bill_line(self, custom_id: str, key: str, tokens: tuple[int, ...], sign: int = 1) -> None:
        """The model ran for one request of a batch; `sign` -1 takes a cancelled one back."""
        add(self.batch_billed, tokens, sign)
        if self.history:
            self.custom_ids[custom_id] += sign
            self.batch_prompts[key] += sign

    def as_json(self) -> dict[str, Any]:
        """The counts as plain fields."""
        sums = self.sums()
        sums["batches"] |= {"by_custom_id": +self.custom_ids, "by_prompt": +self.batch_prompts}
        return sums | {
            "prompts": {
                key: {
                    "calls": kept[0],
                    "billed": kept[1],
                    "prompt_tokens": kept[2],
                    "completion_tokens": kept[3],
                }
                for key, kept in self.prompts.items()
            },
        }

    def sums(self) -> dict[str, Any]:
        """The counts without those of each prompt: quick, to be asked for again and again."""
        return {
            "calls": self.calls,
            "statuses": self.statuses,
            "faults": self.faults,
            "open": self.open,
            "peak": self.peak,
            "billed": named(self.billed),
            "batches": {
                **{name: self.batches[name] for name in ("created", "failed", "cancelled")},
                "billed": named(self.batch_billed),
            },
        }


def add(total: list[int], tokens: tuple[int, ...], sign: int = 1) -> None:
    """Add one billed call."""
    total[0] += sign
    for place, count in enumerate(tokens, 1):
        total[place] += sign * count


def named(total: list[int]) -> dict[str, int]:
    """The sums under their names."""
    return {"calls": total[0], **dict(zip(BILLS, total[1:], strict=True))}
