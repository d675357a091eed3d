"""Makers of a tiny real model: tokenizer, encoder, heads, bundle, metadata and golden texts, as they are served.

The model knows two words. A window with ZORKMID is an attack of family PI, one with PLUGH of family JB, any other is
benign; where the word stands and how long the window is does not matter. No rule knows either word.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

from raxe.bundle import BundleContents, EmbeddingConfig, Labels, Subfamily, TrainingStats, write_bundle
from raxe.settings import Settings
from tests.onnx_graph import Array, Graph, Node

ZORKMID, PLUGH = "zorkmid", "plugh"
MODEL_ID = "tiny-model"
MAX_LENGTH, STRIDE = 10, 4  # windows of 8 tokens and the two special ones
VOCABULARY = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", ZORKMID, PLUGH)
REVIEW, BLOCK = 0.4, 0.9
FILES = {
    "bundle": f"bundles/{MODEL_ID}.raxe",
    "embeddings": f"embeddings/{MODEL_ID}/encoder.onnx",
    "tokenizer": f"embeddings/{MODEL_ID}/tokenizer.json",
    "golden": f"embeddings/{MODEL_ID}/golden.json",
}
GOLDEN = ("a plain question", f"please {ZORKMID} the door", f"{PLUGH} {ZORKMID}")

# One row a word of the vocabulary, (V, D): [CLS] is in every window and gives the first component, both words theirs.
_TABLE = np.zeros((len(VOCABULARY), 3), dtype=np.float32)
_TABLE[1, 0] = _TABLE[4, 1] = _TABLE[5, 2] = 1

# Column by output of the heads over the three components: benign 0.0025, one word 0.986, both 0.998.
_BINARY = np.array([-6, 12, 12], dtype=np.float32)
_FAMILY = np.array([[0, 0], [9, 0], [0, 9]], dtype=np.float32)
_SUBFAMILY = np.array([[0, 1, 0], [9, 0, 0], [0, 0, 9]], dtype=np.float32)


def tokenizer_json(vocabulary: Sequence[str] = VOCABULARY) -> str:
    """A tokenizer of whole words, in lower case; unknown ones are ``[UNK]``."""
    tokenizer = Tokenizer(WordLevel({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))  # noqa: S106  (a word, no password)
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    return str(tokenizer.to_str())


def encoder_onnx(table: NDArray[np.float32] = _TABLE, output: str = "embedding", **versions: int) -> bytes:
    """``input_ids, attention_mask (N, T) int64 -> embedding (N, D)``: which words are there, scaled to length 1.

    ``versions`` are ``opset`` and ``ir_version`` of the graph.
    """
    nodes = [
        Node("Cast", ["attention_mask"], "mask", {"to": 1}),
        Node("Unsqueeze", ["mask", "last"], "wide"),
        Node("Gather", ["table", "input_ids"], "rows", {"axis": 0}),
        Node("Mul", ["rows", "wide"], "seen"),
        Node("ReduceMax", ["seen"], "pooled", {"axes": [1], "keepdims": 0}),
        Node("LpNormalization", ["pooled"], output, {"axis": -1, "p": 2}),
    ]
    ids = (int, ["N", "T"])
    constants: Mapping[str, Array] = {"table": table, "last": np.array([2], dtype=np.int64)}
    outputs = {output: (float, ["N", table.shape[1]])}
    return Graph(nodes, constants, {"input_ids": ids, "attention_mask": ids}, outputs, **versions).to_bytes()


def heads_onnx(
    binary: NDArray[np.float32] = _BINARY,
    family: NDArray[np.float32] = _FAMILY,
    *,
    names: Sequence[str] = ("binary", "family", "subfamily"),
) -> bytes:
    """``embedding (N, D) -> binary (N,), family (N, F), subfamily (N, S)``."""
    nodes = [
        Node("MatMul", ["embedding", "w0"], "logit"), Node("Sigmoid", ["logit"], names[0]),
        Node("MatMul", ["embedding", "w1"], "logits1"), Node("Softmax", ["logits1"], names[1], {"axis": -1}),
        Node("MatMul", ["embedding", "w2"], "logits2"), Node("Softmax", ["logits2"], names[2], {"axis": -1}),
    ]  # fmt: skip
    outputs = {
        names[0]: (float, ["N"]),
        names[1]: (float, ["N", family.shape[1]]),
        names[2]: (float, ["N", _SUBFAMILY.shape[1]]),
    }
    constants = {"w0": binary, "w1": family, "w2": _SUBFAMILY}
    return Graph(nodes, constants, {"embedding": (float, ["N", len(binary)])}, outputs).to_bytes()


CONTENTS = BundleContents(
    model_id=MODEL_ID,
    version="1.0.0",
    created="2025-11-20",
    heads_onnx=heads_onnx(),
    embedding=EmbeddingConfig(MODEL_ID, 3, MAX_LENGTH, STRIDE, "mean", normalize=True),
    stats=TrainingStats(3, 1.0, REVIEW, BLOCK, {}),
    triggers={},
    cluster_names=("instruction_override", "persona_override"),
    clusters=np.array([[0.70710678, 0.70710678, 0], [0.70710678, 0, 0.70710678]], dtype=np.float32),
    labels=Labels(
        ("benign", "attack"),
        ("PI", "JB"),
        (
            Subfamily("instruction_override", "PI", "critical"),
            Subfamily("prompt_leak", "PI", "high"),
            Subfamily("persona_override", "JB", "medium"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class ModelsFolder:
    """A models folder with one model; ``edit_metadata`` and ``path`` are there to break it."""

    root: Path

    @property
    def settings(self) -> Settings:
        """The settings that find it."""
        return Settings(models_dir=self.root)

    @property
    def metadata(self) -> Path:
        """Its one metadata file."""
        return self.root / "metadata" / f"{MODEL_ID}.json"

    def path(self, kind: str) -> Path:
        """The file of ``bundle``, ``embeddings``, ``tokenizer`` or ``golden``."""
        return self.root / FILES[kind]

    def edit_metadata(self, **changed: object) -> None:
        """Replaces fields of the metadata; one of ``file_info`` is found by its own name."""
        metadata = json.loads(self.metadata.read_text())
        for name, value in changed.items():
            (metadata["file_info"] if name in metadata["file_info"] else metadata)[name] = value
        self.metadata.write_text(json.dumps(metadata))

    def replace(self, kind: str, data: bytes) -> None:
        """Puts another file in the place of one, with the checksum that fits."""
        self.path(kind).write_bytes(data)
        self.edit_metadata(**{f"{kind}_sha256": sha256(data)})

    def replace_bundle(self, **changed: Any) -> None:  # noqa: ANN401  (any field of BundleContents)
        """Puts a bundle with other contents in the place of the bundle, with the checksum that fits."""
        digest = write_bundle(self.path("bundle"), replace(CONTENTS, **changed))
        self.edit_metadata(bundle_sha256=digest)


def sha256(data: bytes) -> str:
    """The checksum as metadata writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def expected_score(text: str) -> float:
    """What the tiny model scores for a text of one window."""
    words = text.lower().split()
    seen = np.array([1, ZORKMID in words, PLUGH in words], dtype=np.float32)
    return float(1 / (1 + np.exp(-(seen / np.linalg.norm(seen)) @ _BINARY)))


def write_models(root: Path) -> ModelsFolder:
    """Writes the tiny model's folder below ``root`` and returns it."""
    folder = ModelsFolder(root)
    for kind in FILES:
        folder.path(kind).parent.mkdir(parents=True, exist_ok=True)
    write_bundle(folder.path("bundle"), CONTENTS)
    folder.path("embeddings").write_bytes(encoder_onnx())
    folder.path("tokenizer").write_text(tokenizer_json())
    folder.path("golden").write_text(json.dumps({"texts": [{"text": t, "score": expected_score(t)} for t in GOLDEN]}))
    folder.metadata.parent.mkdir()
    folder.metadata.write_text(json.dumps(metadata_of(folder)))
    return folder


def metadata_of(folder: ModelsFolder, model_id: str = MODEL_ID) -> dict[str, Any]:
    """Metadata that fits the files as they are."""
    checksums = {f"{kind}_sha256": sha256(folder.path(kind).read_bytes()) for kind in FILES}
    return {
        "model_id": model_id, "name": "Tiny", "version": "1.0.0", "variant": "fp32", "description": "Knows two words.",
        "status": "active", "file_info": {**FILES, "size_mb": 0.01, **checksums},
        "ml_config": {
            "base_model": "none", "max_length": MAX_LENGTH, "stride": STRIDE, "embedding_dimension": 3,
            "quantization": "fp32",
        },
    }  # fmt: skip


def add_variant(models: ModelsFolder, model_id: str, **changed: object) -> None:
    """Drops metadata of a variant that shares all files of the tiny model."""
    document = metadata_of(models) | {"model_id": model_id, **changed}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name(f"{model_id}.json").write_text(json.dumps(document))
