"""Which entries DARE keeps: decided by seed, input and tensor name, and by nothing else."""

import hashlib
from typing import Any

import numpy as np

from judgesmith.backends.loading import load

_BLOCK = 1 << 20


def keep_mask(shape: tuple[int, ...], density: float, seed: int, place: tuple[int, str]) -> Any:
    """A boolean tensor; each entry is true with probability `density`.

    Args:
        shape: of the tensor.
        density: the share kept, in (0, 1].
        seed: of the merge.
        place: the input's position, from 0, and the tensor's name.

    The draws are raw 32-bit words of SFC64, whose stream numpy promises not to change, keyed by a
    hash. The order in which tensors are merged, and the files they lie in, have no influence.

    >>> mask = keep_mask((2, 4), 0.5, 7, (0, "layers.0.weight"))
    >>> bool((mask == keep_mask((2, 4), 0.5, 7, (0, "layers.0.weight"))).all())
    True
    >>> mask.shape
    torch.Size([2, 4])
    """
    torch = load("torch")
    count = int(np.prod(shape, dtype=np.int64))
    key = hashlib.sha256(f"dare\n{seed}\n{place[0]}\n{place[1]}".encode()).digest()
    stream = np.random.SFC64(np.random.SeedSequence(int.from_bytes(key, "little")))
    kept = np.empty(count, dtype=bool)
    limit = np.uint64(round(density * 2**32))
    for start in range(0, count, _BLOCK):
        size = min(_BLOCK, count - start)
        words = stream.random_raw((size + 1) // 2).astype("<u8", copy=False).view("<u4")[:size]
        np.less(words, limit, out=kept[start : start + size])
    return torch.from_numpy(kept).reshape(shape)
