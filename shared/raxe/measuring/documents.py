"""What a run leaves in ``models/benchmarks``: one JSON document a model."""

from typing import Literal

from pydantic import Field

from raxe.measuring.resident import SCANS
from raxe.measuring.running import ModelRun, Run
from raxe.registry.metadata import MODEL_ID_PATTERN, SHA256_PATTERN
from raxe.strict import Strict

_DIGITS = 4


class Prompts(Strict):
    """The texts of the run."""

    smoke: bool = Field(description="the small set that ships with the package: its accuracy says nothing is broken")
    sha256: str = Field(pattern=SHA256_PATTERN, description="of the file")
    texts: int = Field(gt=0, description="all of them")
    attacks: int = Field(ge=0, description="labelled 1")
    benign: int = Field(ge=0, description="labelled 0")


class Quality(Strict):
    """How well verdicts fit the labels, each from 0 to 1; null where the labels do not define it."""

    recall: float | None
    fpr: float | None
    precision: float | None
    f1: float | None
    balanced_accuracy: float | None
    auroc: float | None


class Speed(Strict):
    """Wall time of a scan, L1 and L2, in milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float


class Measured(Strict):
    """One model, measured beside others on one machine."""

    schema_version: Literal["1.0"] = Field(default="1.0", description="of this document")
    model_id: str = Field(pattern=MODEL_ID_PATTERN, description="the model")
    digest: str = Field(pattern=SHA256_PATTERN, description="of its bundle")
    measured_at: str = Field(description="ISO time, UTC")
    beside: tuple[str, ...] = Field(description="the other models of the same run, in turn with this one")
    machine: str = Field(description="architecture, CPUs, threads")
    load_average: tuple[float, float] = Field(description="of one minute, before and after: above the CPUs it was busy")
    prompts: Prompts = Field(description="smoke, sha256 of the file, texts, attacks, benign")
    iterations: int = Field(gt=0, description="passes over the texts")
    accuracy: Quality = Field(description="recall, fpr, precision, f1, balanced_accuracy, auroc; null: not defined")
    latency: Speed | None = Field(description="p50_ms, p95_ms, p99_ms of a scan, L1 and L2")
    memory_mb: float | None = Field(description=f"resident in a fresh process after {SCANS} scans, in 1,000,000 bytes")
    size_mb: float = Field(description="bundle, encoder and tokenizer, in 1,000,000 bytes")


def document(run: Run, model: ModelRun) -> Measured:
    """The document of one model of a run."""
    found, latency, samples = run.figures(model), model.latency, run.samples
    quality = {name: getattr(found, name) for name in Quality.model_fields}
    return Measured(
        model_id=model.model_id,
        digest=model.digest,
        measured_at=run.started,
        beside=tuple(each.model_id for each in run.models if each is not model),
        machine=run.machine,
        load_average=run.load,
        prompts=Prompts(
            smoke=samples.smoke,
            sha256=samples.sha256,
            texts=len(samples.samples),
            attacks=samples.attacks,
            benign=samples.benign,
        ),
        iterations=run.iterations,
        accuracy=Quality(**{name: _rounded(value) for name, value in quality.items()}),
        latency=Speed(**{name: round(getattr(latency, name), _DIGITS) for name in Speed.model_fields})
        if latency
        else None,
        memory_mb=model.memory_mb,
        size_mb=model.size_mb,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
