"""Rows -> token ids -> batches of like length, so that little of a batch is padding."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from raxe_ml.config import TrainConfig
from raxe_ml.model import FAMILIES, base_folder
from raxe_ml.rows import Row

_UNLABELLED = -100  # what cross_entropy ignores
_LONGEST = 20_000  # characters of a text that are tokenised
_TWIN_SHARE = 0.6  # of the windows of a long benign twin that hold what stands in the order's place


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one step: ids and mask ``(N, T) int64``; binary and weight ``(N,) float32``; labels ``(N,) int64``."""

    input_ids: Tensor
    attention_mask: Tensor
    binary: Tensor
    family: Tensor
    subfamily: Tensor
    weight: Tensor


def load_tokenizer(config: TrainConfig) -> Tokenizer:
    """The tokenizer of the base model without truncation and padding."""
    tokenizer = Tokenizer.from_file(str(base_folder(config.base_package) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def encode(rows: list[Row], tokenizer: Tokenizer) -> list[list[int]]:
    """Token ids of each row, special tokens left out; texts are cut to 20,000 characters first."""
    encodings = tokenizer.encode_batch_fast([row.text[:_LONGEST] for row in rows], add_special_tokens=False)
    return [encoding.ids for encoding in encodings]


def first_windows(rows: list[Row], config: TrainConfig) -> Iterator[NDArray[np.int64]]:
    """Yields the first window of each row as the encoder reads it, ``(1, T) int64`` with the two special tokens."""
    tokenizer = load_tokenizer(config)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    for ids in encode(rows, tokenizer):
        yield np.array([[cls, *ids[: config.max_length - 2], sep]], dtype=np.int64)


def _token_span(tokenizer: Tokenizer, row: Row) -> tuple[int, int]:
    """Tokens ``[first, last)`` that touch the row's span of characters."""
    start, end = row.span or (0, len(row.text))
    offsets = tokenizer.encode(row.text[:_LONGEST], add_special_tokens=False).offsets
    inside = [i for i, (left, right) in enumerate(offsets) if left < end and right > start]
    return (inside[0], inside[-1] + 1) if inside else (0, 1)


def _start_over(span: tuple[int, int], size: int, extra: int, draw: random.Random) -> int:
    """Where a window of ``size`` tokens may start so that it holds the span, or begins with it when that is longer."""
    earliest, latest = max(0, span[1] - size), min(extra, span[0])
    return draw.randint(min(earliest, latest), latest)


class Batcher:
    """Makes the batches of an epoch; a long row gives one window of ``max_length`` tokens, another one each epoch.

    Where a row says which characters make it what it is, its window holds them: always for an attack, whose label would
    be wrong without, and mostly for a benign twin, whose look-alike sentence is what there is to learn.
    """

    def __init__(self, rows: list[Row], config: TrainConfig, subfamilies: tuple[str, ...]) -> None:
        """Tokenises all rows once."""
        tokenizer = load_tokenizer(config)
        self._rows, self._config = rows, config
        self._ids = encode(rows, tokenizer)
        self._cls, self._sep, self._pad = (tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]", "[PAD]"))
        self._spans = {i: _token_span(tokenizer, row) for i, row in enumerate(rows) if row.span}
        self._subfamily_index = {name: i for i, name in enumerate(subfamilies)}

    def usable(self) -> list[int]:
        """Positions of the rows that a window can stand for.

        A poisoned document longer than a window is left out when it does not say where the order stands.
        """
        size = self._config.max_length - 2
        return [
            i
            for i, row in enumerate(self._rows)
            if row.family != "RAG" or len(self._ids[i]) <= size or i in self._spans
        ]

    def _window(self, i: int, draw: random.Random) -> list[int]:
        ids, size = self._ids[i], self._config.max_length - 2
        extra = len(ids) - size
        if extra <= 0:
            return ids
        if i in self._spans and (self._rows[i].is_attack or draw.random() < _TWIN_SHARE):
            start = _start_over(self._spans[i], size, extra, draw)
            return ids[start : start + size]
        # Jailbreaks open with what makes them one; ordinary texts may be cut anywhere.
        first = 0.7 if self._rows[i].is_attack else 0.3
        kind = draw.random()
        start = 0 if kind < first else extra if kind < first + 0.15 else draw.randint(0, extra)
        return ids[start : start + size]

    def epoch(self, seed: int) -> Iterator[Batch]:
        """Yields the batches of one epoch over the usable rows, in an order drawn with the seed."""
        draw = random.Random(seed)
        batches = self._batches(self.usable(), draw)
        draw.shuffle(batches)
        for batch in batches:
            yield self._tensors(batch)

    def every_row(self, seed: int) -> Iterator[tuple[list[int], Batch]]:
        """Yields the positions of rows and their batch, so that each row comes once, by one window."""
        for batch in self._batches(range(len(self._rows)), random.Random(seed)):
            yield [i for i, _ in batch], self._tensors(batch)

    def _batches(self, positions: Iterable[int], draw: random.Random) -> list[list[tuple[int, list[int]]]]:
        """Windows of like length together, each batch within ``batch_tokens``."""
        windows = [(i, self._window(i, draw)) for i in positions]
        windows.sort(key=lambda pair: len(pair[1]) + draw.random() * 8)
        batches: list[list[tuple[int, list[int]]]] = [[]]
        for pair in windows:
            if batches[-1] and (len(batches[-1]) + 1) * (len(pair[1]) + 2) > self._config.batch_tokens:
                batches.append([])
            batches[-1].append(pair)
        return batches

    def _tensors(self, batch: list[tuple[int, list[int]]]) -> Batch:
        width = max(len(ids) for _, ids in batch) + 2
        padded = [[self._cls, *ids, self._sep] + [self._pad] * (width - len(ids) - 2) for _, ids in batch]
        input_ids = torch.tensor(padded)
        rows = [self._rows[i] for i, _ in batch]
        lengths = torch.tensor([len(ids) + 2 for _, ids in batch])
        return Batch(
            input_ids,
            (torch.arange(width)[None] < lengths[:, None]).long(),
            torch.tensor([float(row.is_attack) for row in rows]),
            torch.tensor([FAMILIES.index(row.family) if row.is_attack else _UNLABELLED for row in rows]),
            torch.tensor([self._subfamily_index.get(row.subfamily, _UNLABELLED) for row in rows]),
            torch.tensor([row.weight for row in rows]),
        )
