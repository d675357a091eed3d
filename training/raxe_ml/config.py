"""The configuration of one model, read from ``training/configs/*.yaml``; unknown keys are refused."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LossWeights(_Strict):
    """Weight of each head's loss in the sum."""

    binary: float = Field(ge=0)
    family: float = Field(ge=0)
    subfamily: float = Field(ge=0)


class Composed(_Strict):
    """Rows that each generator adds, attacks and benign together."""

    rag: int = Field(ge=0)
    trigger: int = Field(ge=0)
    command: int = Field(ge=0)
    personal: int = Field(ge=0)
    encoded: int = Field(default=0, ge=0)
    languages: int = Field(default=0, ge=0)
    paraphrased: int = Field(default=0, ge=0)


class Corpus(_Strict):
    """How the written corpus takes part; its frozen part never does."""

    weight: float = Field(ge=0, description="of its rows in the loss; 0 leaves the corpus out")
    repeat: int = Field(ge=1, le=10)
    dev: tuple[str, ...] = ()


class ClassWeights(_Strict):
    """Weight of each class in the loss of the binary head."""

    attack: float = Field(gt=0, le=10)
    benign: float = Field(gt=0, le=10)


class EarlyStopping(_Strict):
    """Ends a run whose AUROC on ``rows`` rows of dev has not risen for ``patience`` epochs; the best epoch is kept."""

    patience: int = Field(ge=1, le=20)
    rows: int = Field(ge=50)


class Teacher(_Strict):
    """A finished run that a smaller network learns from, beside the labels."""

    config: Path
    work: Path = Field(description="the folder of its run, which holds network.pt")
    weight: float = Field(ge=0, le=1, description="of what the teacher says in the loss; the rest is the labels'")


class Targets(_Strict):
    """What a model must reach on the held-out sources; `raxe-ml validate` compares."""

    f1: float = Field(ge=0, le=1)
    fpr: float = Field(ge=0, le=1)
    auroc: float = Field(ge=0, le=1)


Quantization = Literal["int8", "fp16", "fp32"]


class TrainConfig(_Strict):
    """Everything that decides a model; the meaning of each value stands beside it in the YAML file."""

    model_id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{2,63}$")
    version: str
    name: str
    seed: int
    base_package: str
    base_model: str
    layers: tuple[int, ...] | None = Field(default=None, description="transformer layers that are kept, all when None")
    teacher: Teacher | None = None
    begin: Path | None = Field(default=None, description="work folder of a finished run whose weights are the first")
    max_length: int = Field(ge=16, le=512)
    stride: int = Field(ge=8, le=512)
    epochs: int = Field(ge=1, le=20)
    batch_tokens: int = Field(ge=256)
    learning_rate: float = Field(gt=0, lt=0.1)
    head_learning_rate: float = Field(gt=0, lt=0.1)
    warmup_fraction: float = Field(ge=0, lt=1)
    label_smoothing: float = Field(ge=0, lt=0.5)
    loss_weights: LossWeights
    quantization: Quantization = "int8"
    classifier: Literal["linear", "mlp", "multi_head_random_forest"] = "linear"
    class_weights: ClassWeights = ClassWeights(attack=1.0, benign=1.0)
    early_stopping: EarlyStopping
    targets: Targets
    cap_per_shard: int = Field(ge=1)
    composed: Composed
    corpus: Corpus
    shards: bool = True
    limit: int | None = Field(default=None, ge=20)
    doubts: Path | None = Field(default=None, description="digests of rows to leave out, written by `raxe-ml doubts`")
    drop: tuple[str, ...] = ()
    weights: dict[str, float] = {}
    dev: tuple[str, ...]
    test: tuple[str, ...]


def quantized(config: TrainConfig, quantization: Quantization) -> TrainConfig:
    """The same model in another precision; one that is not its configuration's has an id of its own."""
    if quantization == config.quantization:
        return config
    return config.model_copy(update={"quantization": quantization, "model_id": f"{config.model_id}-{quantization}"})


def export_folder(config: TrainConfig, work: Path) -> Path:
    """Where the exported files of a precision lie."""
    return work / f"export-{config.quantization}"


def smoke(config: TrainConfig) -> TrainConfig:
    """The configuration cut down to a run of two minutes on the corpus alone; shows that the stages work, no more."""
    return config.model_copy(
        update={
            "model_id": "smoke", "epochs": 1, "max_length": 64, "stride": 48, "limit": 240, "shards": False,
            "corpus": Corpus(weight=1.0, repeat=1, dev=config.corpus.dev),
            "early_stopping": EarlyStopping(patience=1, rows=60),
        }
    )  # fmt: skip


def load_config(path: Path) -> TrainConfig:
    """The configuration in ``path``; raises pydantic's ValidationError with the path of a wrong or unknown key.

    A file that says ``extends: other.yaml`` has the keys of that file beside it, its own ones first.
    """
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    if "extends" in values:
        values = yaml.safe_load((path.parent / values.pop("extends")).read_text(encoding="utf-8")) | values
    return TrainConfig.model_validate(values)
