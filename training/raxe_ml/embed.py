"""Rows -> embeddings: of a network in training, in large batches, or of an exported graph, one text at a time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from raxe.classifier import Session
from raxe_ml.batches import Batcher, first_windows
from raxe_ml.config import TrainConfig
from raxe_ml.model import Network
from raxe_ml.rows import Row

_THREADS = 2


def embed(network: Network, rows: Sequence[Row], config: TrainConfig) -> NDArray[np.float32]:
    """``(N, D)`` embeddings of unit length, of one window of each row."""
    batcher = Batcher(list(rows), config, ())
    found = np.zeros((len(rows), network.heads.dimension), np.float32)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for places, batch in batcher.every_row(config.seed):
            found[places] = network.encoder(batch.input_ids, batch.attention_mask).float().numpy()
    return found


def embed_served(graph: Path, rows: list[Row], config: TrainConfig) -> NDArray[np.float32]:
    """``(N, D)`` of the first window of each row by an ONNX graph, each row on its own (no padding)."""
    session = Session(graph, threads=_THREADS)
    found = [
        session.run({"input_ids": window, "attention_mask": np.ones_like(window)})["embedding"][0]
        for window in first_windows(rows, config)
    ]
    return np.stack(found)
