"""Training must not keep something for every length that a batch can have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# A process that another starts inherits its `ru_maxrss`; only Linux says what it took itself.
STATUS = Path("/proc/self/status")
pytestmark = [
    pytest.mark.wide,
    pytest.mark.skipif(not STATUS.exists(), reason="the system does not tell peak memory"),
]
KEPT = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")
LENGTHS = """
from pathlib import Path

from judgesmith.backends.loading import load

torch = load("torch")
layer = torch.nn.Linear(128, 384)

def peak_after(lengths):
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for length in lengths:
            layer(torch.ones(length, 128))
    return Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]

few = peak_after(range(200, 264))
print(few, peak_after(range(264, 464)))
"""


def peaks(**environment: str) -> tuple[int, int]:
    """Peak memory of a process that has multiplied batches of 64 lengths, and of 264."""
    clean = {name: value for name, value in os.environ.items() if name not in KEPT}
    done = subprocess.run(
        [sys.executable, "-c", LENGTHS], env={**clean, "OMP_NUM_THREADS": "1", **environment},
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    few, many = map(int, done.stdout.split())
    return few, many


def test_more_lengths_do_not_take_more_memory() -> None:
    """200 more lengths take 0.65 MB each where torch keeps a product for each, and 0.12 here."""
    few, many = peaks(**dict.fromkeys(KEPT, "1024"))
    if many - few < few / 10:
        pytest.skip("torch keeps nothing for bf16 products on this processor")
    few_here, many_here = peaks()
    assert many_here - few_here < (many - few) / 2
