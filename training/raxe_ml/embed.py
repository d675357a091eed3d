"""Rows -> embeddings of a network in training, in large batches; serving embeds one text at a time, by ONNX."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from raxe_ml.batches import Batcher
from raxe_ml.config import TrainConfig
from raxe_ml.model import Network
from raxe_ml.rows import Row


def embed(network: Network, rows: Sequence[Row], config: TrainConfig) -> NDArray[np.float32]:
    """``(N, D)`` embeddings of unit length, of one window of each row."""
    batcher = Batcher(list(rows), config, ())
    found = np.zeros((len(rows), network.heads.dimension), np.float32)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for places, batch in batcher.every_row(config.seed):
            found[places] = network.encoder(batch.input_ids, batch.attention_mask).float().numpy()
    return found
