"""Windows of token ids -> session calls: padded, and windows of like length together."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from raxe.classifier.tokens import TextTokenizer

FloatArray = NDArray[np.float32]
Windows = Sequence[Sequence[int]]


def in_batches(windows: Windows, batch_size: int, call: Callable[[Windows], FloatArray]) -> FloatArray:
    """What ``call`` gives for each window, in order.

    Windows of like length share a call, so that padding costs little.
    """
    order = sorted(range(len(windows)), key=lambda i: len(windows[i]))
    parts = [call([windows[i] for i in order[at : at + batch_size]]) for at in range(0, len(order), batch_size)]
    back = np.argsort(np.array(order, dtype=np.int64))
    found: FloatArray = np.concatenate(parts)[back]
    return found


def feeds(windows: Windows, tokens: TextTokenizer) -> dict[str, NDArray[np.int64]]:
    """``input_ids``, ``attention_mask`` and ``token_type_ids``, each ``(N, T) int64``, special tokens included."""
    width = max(len(window) for window in windows) + 2
    input_ids = np.full((len(windows), width), tokens.pad, dtype=np.int64)
    attention_mask = np.zeros_like(input_ids)
    for row, window in enumerate(windows):
        size = len(window) + 2
        input_ids[row, :size] = np.array([tokens.cls, *window, tokens.sep], dtype=np.int64)
        attention_mask[row, :size] = 1
    return {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": np.zeros_like(input_ids)}
