"""The encoder written out once more, in the form that onnxruntime's optimizer fuses.

transformers' own module traces into a mask built from ranges and comparisons, around which no fusion of attention
matches. Same weights, same numbers (the export compares both), a quarter of the nodes.
"""

import math

import torch
from torch import Tensor, nn
from transformers import BertModel

_MASKED = -10_000.0  # added to the logits of padding; large enough for softmax to give exactly 0 in float32


class TracedEncoder(nn.Module):
    """BERT, mean pooling and normalisation over the weights of a trained model."""

    def __init__(self, bert: BertModel) -> None:
        """Takes the trained transformer."""
        super().__init__()
        self.bert = bert
        self.heads = bert.config.num_attention_heads
        self.head_size = bert.config.hidden_size // self.heads

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """``(N, T) int64`` twice -> ``(N, D) float32`` of unit length."""
        embeddings = self.bert.embeddings
        positions = torch.arange(input_ids.size(1), dtype=torch.int64).unsqueeze(0)
        types = torch.zeros_like(input_ids)
        hidden = embeddings.word_embeddings(input_ids) + embeddings.token_type_embeddings(types)
        hidden = embeddings.LayerNorm(hidden + embeddings.position_embeddings(positions))
        mask = (1.0 - attention_mask.unsqueeze(1).unsqueeze(2).float()) * _MASKED
        for layer in self.bert.encoder.layer:
            hidden = layer.attention.output.LayerNorm(self._attend(layer, hidden, mask) + hidden)
            wide = nn.functional.gelu(layer.intermediate.dense(hidden))
            hidden = layer.output.LayerNorm(layer.output.dense(wide) + hidden)
        weights = attention_mask.unsqueeze(-1).float()
        mean = (hidden * weights).sum(1) / weights.sum(1)
        return mean / mean.norm(dim=1, keepdim=True)

    def _attend(self, layer: nn.Module, hidden: Tensor, mask: Tensor) -> Tensor:
        own = layer.attention.self
        query = self._split(own.query(hidden))
        key = self._split(own.key(hidden))
        value = self._split(own.value(hidden))
        scores = torch.matmul(query, key.transpose(-1, -2)) / math.sqrt(self.head_size) + mask
        context = torch.matmul(scores.softmax(dim=-1), value).permute(0, 2, 1, 3).contiguous()
        joined = context.view(context.size(0), context.size(1), self.heads * self.head_size)
        result: Tensor = layer.attention.output.dense(joined)
        return result

    def _split(self, x: Tensor) -> Tensor:
        return x.view(x.size(0), x.size(1), self.heads, self.head_size).permute(0, 2, 1, 3)
