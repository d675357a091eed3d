"""Stage ``benchmark``: figures of the serving path on held-out sources, into metadata and models/benchmarks."""

import json
import os
import platform
from dataclasses import asdict, replace
from pathlib import Path

from raxe.bootstrap import build_engine
from raxe.evaluation import Report, Row, SetReport, evaluate
from raxe.registry import load_metadata, save_metadata
from raxe.registry.metadata import Accuracy, Performance
from raxe.settings import from_environment
from raxe.values import Source
from raxe_ml.config import TrainConfig
from raxe_ml.rows import read_rows

_THREADS = 2  # of the figure in the metadata, as a function of 2 x 1,769 MB has
DIGITS = 4


def measure(config: TrainConfig, work: Path, models: Path) -> Report:
    """Scans the ``dev`` and ``test`` sources with the model of ``models``, writes the figures, returns test's report.

    Metadata takes the figures of ``test`` alone: calibration and thresholds have seen ``dev``.
    """
    settings = replace(
        from_environment({}), models_dir=models.resolve(), l2_model=config.model_id, onnx_num_threads=_THREADS
    )
    engine = build_engine(settings)
    reports = {name: evaluate(_rows(work / f"{name}.jsonl"), engine) for name in ("dev", "test")}
    out = models / "benchmarks" / f"{config.model_id}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "model_id": config.model_id,
        "digest": engine.model_info.digest if engine.model_info else None,
        "command": "make data train export bundle benchmark",
        "machine": _machine(),
        **{name: {"overall": _flat(r.overall), "sets": [_flat(s) for s in r.sets]} for name, r in reports.items()},
    }
    out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _into_metadata(models / "metadata" / f"{config.model_id}.json", reports["test"])
    return reports["test"]


def _rows(path: Path) -> list[Row]:
    return [Row(row.text, int(row.is_attack), row.shard, Source(row.role)) for row in read_rows(path)]


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} CPUs, {_THREADS} threads"


def _flat(report: SetReport) -> dict[str, object]:
    """One set as plain numbers, rounded to four digits."""
    values = {
        "set": report.name or "all",
        **asdict(report.figures),
        **(asdict(report.latency) if report.latency else {}),
    }
    return {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in values.items()}


def _into_metadata(path: Path, report: Report) -> None:
    found, latency = report.overall.figures, report.overall.latency
    shares = {name: getattr(found, name) for name in ("recall", "fpr", "precision", "f1", "balanced_accuracy", "auroc")}
    if latency is None or None in shares.values():
        raise ValueError("the test sources must hold attacks and benign rows")
    accuracy = Accuracy(rows=found.n, **{name: round(value, DIGITS) for name, value in shares.items()})
    times = {f"latency_{name}": round(value, DIGITS) for name, value in asdict(latency).items()}
    performance = Performance(**times, machine=_machine())
    save_metadata(path, load_metadata(path).model_copy(update={"accuracy": accuracy, "performance": performance}))
