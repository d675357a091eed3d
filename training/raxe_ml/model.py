"""The network: a MiniLM encoder with mean pooling, and three linear heads on its unit-length embedding."""

import importlib.resources
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from raxe.values import Family
from raxe_ml.config import TrainConfig

FAMILIES = tuple(family.value for family in Family)
# On two CPU cores the random numbers of dropout cost more than the matrix products: 1,900 tokens/s against 8,300.
_VARIANT: dict[str, Any] = {
    "attn_implementation": "eager",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
EMBEDDING_SCALE = 16.0  # heads see a vector of this length: on unit vectors the logits of a linear head start too flat


def base_folder(package: str) -> Path:
    """The folder of the installed ``package`` that holds config.json, model.safetensors and tokenizer.json."""
    return Path(str(importlib.resources.files(package))) / "model"


class Encoder(nn.Module):
    """token ids -> embedding of unit length, mean over the tokens that are no padding."""

    def __init__(self, bert: BertModel) -> None:
        """Wraps the transformer."""
        super().__init__()
        self.bert = bert

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """``(N, T) int64`` twice -> ``(N, D) float32`` of unit length."""
        hidden = self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state.float()  # (N, T, D)
        return self.pooled(hidden, attention_mask)

    @staticmethod
    def pooled(hidden: Tensor, attention_mask: Tensor) -> Tensor:
        """``(N, T, D)`` and ``(N, T) int64`` -> ``(N, D)`` of unit length."""
        mask = attention_mask.unsqueeze(-1).float()
        mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        return nn.functional.normalize(mean, dim=1)


HIDDEN = 256  # width of the hidden layer of the mlp classifier


class Heads(nn.Module):
    """embedding -> logits of binary, family and subfamily; three linear layers, over a shared hidden one for mlp."""

    def __init__(self, dimension: int, subfamilies: int, classifier: str = "linear") -> None:
        """Makes the layers of a ``linear`` or ``mlp`` classifier on embeddings of ``dimension``."""
        super().__init__()
        self.dimension = dimension
        self.trunk: nn.Module = nn.Identity()
        if classifier == "mlp":
            self.trunk, dimension = nn.Sequential(nn.Linear(dimension, HIDDEN), nn.GELU()), HIDDEN
        self.binary = nn.Linear(dimension, 1)
        self.family = nn.Linear(dimension, len(FAMILIES))
        self.subfamily = nn.Linear(dimension, subfamilies)

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(N, D)`` -> ``(N,)``, ``(N, 6)``, ``(N, S)`` logits."""
        features = self.trunk(embedding * EMBEDDING_SCALE)
        return self.binary(features).squeeze(-1), self.family(features), self.subfamily(features)


@dataclass(slots=True)
class Network:
    """Encoder and heads of one training run."""

    encoder: Encoder
    heads: Heads

    def state(self) -> dict[str, dict[str, Tensor]]:
        """The weights of both parts."""
        return {"encoder": self.encoder.state_dict(), "heads": self.heads.state_dict()}

    def load(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Takes the weights that ``state`` gave."""
        self.encoder.load_state_dict(state["encoder"])
        self.heads.load_state_dict(state["heads"])


def build(config: TrainConfig, subfamilies: int, *, pretrained: bool = True) -> Network:
    """A fresh network on the base model of the configuration; without ``pretrained`` its weights are random."""
    folder = base_folder(config.base_package)
    if pretrained:
        bert = BertModel.from_pretrained(folder, add_pooling_layer=False, **_VARIANT)
    else:
        bert = BertModel(BertConfig.from_pretrained(folder, **_VARIANT), add_pooling_layer=False)
    if config.layers is not None:
        bert.encoder.layer = nn.ModuleList(bert.encoder.layer[i] for i in config.layers)
        bert.config.num_hidden_layers = len(config.layers)
    return Network(Encoder(bert), Heads(bert.config.hidden_size, subfamilies, config.classifier))


def device() -> torch.device:
    """CUDA where there is one, else CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
