"""A smaller network that learns from a finished one: the teacher's weights to begin with, its answers to aim at."""

import torch
from torch import Tensor, nn

from raxe_ml.batches import Batch
from raxe_ml.config import Teacher, TrainConfig, load_config
from raxe_ml.export import load_network
from raxe_ml.model import Network, device

_EMBEDDING_WEIGHT = 4.0  # of 1 - cosine, about 0.1 when binary cross-entropy is about 0.3


class TeacherNetwork:
    """The finished network, which answers and does not learn."""

    def __init__(self, teacher: Teacher) -> None:
        """Loads the network that ``teacher`` names."""
        self._network = load_network(load_config(teacher.config), teacher.work)
        self._network.encoder.to(device())
        self._network.heads.to(device())

    def initialise(self, student: Network, config: TrainConfig) -> None:
        """Gives the student the teacher's embeddings, the layers it keeps, and the heads."""
        own, taught = self._network.encoder.bert, student.encoder.bert
        taught.embeddings.load_state_dict(own.embeddings.state_dict())
        for layer, kept in zip(taught.encoder.layer, config.layers or range(len(own.encoder.layer)), strict=True):
            layer.load_state_dict(own.encoder.layer[kept].state_dict())
        student.heads.load_state_dict(self._network.heads.state_dict())

    def loss(self, embedding: Tensor, binary: Tensor, batch: Batch) -> Tensor:
        """How far ``(N, D)`` embeddings and ``(N,)`` logits are from the teacher's on the batch."""
        with torch.no_grad():
            wanted = self._network.encoder(batch.input_ids, batch.attention_mask).float()
            answer = torch.sigmoid(self._network.heads(wanted)[0])
        said = nn.functional.binary_cross_entropy_with_logits(binary, answer)
        return said + _EMBEDDING_WEIGHT * (1 - (embedding * wanted).sum(1)).mean()
