"""Stage ``export``: torch -> fused ONNX encoder in a precision of choice. Fails when the two do not agree."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from torch import Tensor, nn

from raxe_ml.batches import first_windows
from raxe_ml.config import TrainConfig, export_folder
from raxe_ml.embed import embed_served
from raxe_ml.figures import recall_at
from raxe_ml.graph import TracedEncoder
from raxe_ml.model import Heads, Network, base_folder, build
from raxe_ml.quantize import quantize
from raxe_ml.rows import Row, read_rows
from raxe_ml.taxonomy import load_taxonomy

OPSET = 17
PARITY_ROWS = 64
LEAST_COSINE_FP32 = 0.9999  # fused fp32 graph against torch: anything lower is a wrong graph
LEAST_COSINE = {"fp32": LEAST_COSINE_FP32, "fp16": 0.999, "int8": 0.98}  # below it precision has changed the model
MOST_RECALL_LOST = 0.005  # against fp32, mean over the rates below
_FALSE_POSITIVE_RATES = (
    0.005,
    0.01,
    0.02,
    0.05,
)  # a threshold at one rate hangs on a few rows; of four the mean is steady
_LAYERS_HEADS = {"num_heads": 12, "hidden_size": 384}  # of all-MiniLM-L6-v2


class ExportedHeads(nn.Module):
    """The heads as they are served: calibrated probability, softmax of family, softmax of subfamily."""

    def __init__(self, heads: Heads, temperature: float, bias: float) -> None:
        """Takes Platt's two numbers: probability = sigmoid(logit / temperature + bias)."""
        super().__init__()
        self.heads, self.temperature, self.bias = heads, temperature, bias

    def forward(self, embedding: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(N, D)`` -> ``(N,)``, ``(N, 6)``, ``(N, 47)``."""
        binary, family, subfamily = self.heads(embedding)
        return torch.sigmoid(binary / self.temperature + self.bias), family.softmax(-1), subfamily.softmax(-1)


def load_network(config: TrainConfig, work: Path) -> Network:
    """The trained network of ``work``."""
    network = build(config, len(load_taxonomy()), pretrained=False)
    network.load(torch.load(work / "network.pt", weights_only=True))
    network.encoder.eval()
    network.heads.eval()
    return network


def export_encoder(config: TrainConfig, work: Path) -> Path:
    """Writes ``encoder.onnx`` and ``tokenizer.json`` into the folder of the precision and returns the encoder's path.

    Raises:
        ValueError: the graph does not agree with torch within the limits above.
    """
    out = export_folder(config, work)
    out.mkdir(exist_ok=True)
    network = load_network(config, work)
    raw, fused, final = out / "raw.onnx", out / "fused.onnx", out / "encoder.onnx"
    ids = torch.ones(2, 8, dtype=torch.int64)
    axes = {"input_ids": {0: "N", 1: "T"}, "attention_mask": {0: "N", 1: "T"}, "embedding": {0: "N"}}
    torch.onnx.export(
        TracedEncoder(network.encoder.bert).eval(),
        (ids, torch.ones_like(ids)),
        str(raw),
        dynamo=False,
        opset_version=OPSET,
        input_names=["input_ids", "attention_mask"],
        output_names=["embedding"],
        dynamic_axes=axes,
    )
    fuse = optimize_model(str(raw), "bert", optimization_options=FusionOptions("bert"), opt_level=1, **_LAYERS_HEADS)
    fuse.save_model_to_file(str(fused))
    quantize(fused, final, config.quantization)
    shutil.copy(base_folder(config.base_package) / "tokenizer.json", out / "tokenizer.json")
    _check_parity(network, fused, final, read_rows(work / "dev.jsonl"), config)
    return final


def _check_parity(network: Network, fused: Path, final: Path, rows: list[Row], config: TrainConfig) -> None:
    few = rows[:: max(1, len(rows) // PARITY_ROWS)]
    for path, least in ((fused, LEAST_COSINE_FP32), (final, LEAST_COSINE[config.quantization])):
        cosine = _cosine(network, path, few, config)
        if cosine < least:
            raise ValueError(
                f"{path.name} agrees with torch only by a cosine of {cosine:.4f}, at least {least} is asked"
            )
    exact, rounded = (_recall(network, path, rows, config) for path in (fused, final))
    # Half a point of fewer than 200 attacks is less than one of them, which no row can show: a smoke run has 84.
    if exact - rounded > max(MOST_RECALL_LOST, 1 / sum(row.is_attack for row in rows)):
        raise ValueError(
            f"{config.quantization} finds {rounded:.4f} of the attacks at fixed false positive rates, fp32 {exact:.4f}"
        )


def _recall(network: Network, graph: Path, rows: list[Row], config: TrainConfig) -> float:
    """Mean recall over the fixed false positive rates, by the first window of each row."""
    with torch.no_grad():
        logits = network.heads(torch.from_numpy(embed_served(graph, rows, config)))[0].double().numpy()
    attack = np.array([row.is_attack for row in rows])
    return float(np.mean([recall_at(logits[attack], logits[~attack], rate) for rate in _FALSE_POSITIVE_RATES]))


def export_heads(heads: Heads, temperature: float, bias: float, path: Path) -> bytes:
    """The bytes of ``heads.onnx``, also written to ``path``; input ``embedding``, outputs binary, family, subfamily."""
    module = ExportedHeads(heads, temperature, bias).eval()
    names = ["binary", "family", "subfamily"]
    axes = {name: {0: "N"} for name in ["embedding", *names]}
    torch.onnx.export(
        module,
        (torch.zeros(2, heads.dimension),),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=["embedding"],
        output_names=names,
        dynamic_axes=axes,
    )
    onnx.checker.check_model(str(path))
    return path.read_bytes()


def _cosine(network: Network, graph: Path, rows: list[Row], config: TrainConfig) -> float:
    """Mean cosine between torch's embeddings and the graph's, each row on its own (no padding)."""
    cosines = []
    for window, theirs in zip(first_windows(rows, config), embed_served(graph, rows, config), strict=True):
        with torch.no_grad():
            ours = network.encoder(torch.from_numpy(window), torch.ones(window.shape, dtype=torch.int64)).numpy()
        cosines.append(float((ours[0] * theirs).sum()))
    return float(np.mean(cosines))
