"""Stage ``benchmark``: figures of the serving path on held-out sources, into metadata and models/benchmarks.

What each row's scan said, without the row's text, goes into ``outcomes.jsonl`` of the work folder, for the plots.
"""

import json
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from raxe.bootstrap import build_engine
from raxe.evaluation import Outcome, Report, Row, scan_rows, summarise
from raxe.registry import load_metadata, save_metadata
from raxe.registry.metadata import Accuracy, Performance
from raxe.settings import from_environment
from raxe.values import Source
from raxe_ml import rows as learning
from raxe_ml.config import TrainConfig
from raxe_ml.corpus.learning import CORPUS_SHARD
from raxe_ml.corpus.words import length_bucket
from raxe_ml.figures import set_figures
from raxe_ml.outcomes import OUTCOMES, RowOutcome, row_outcome, write_outcomes
from raxe_ml.progress import tracked
from raxe_ml.targets import targets

_THREADS = 2  # of the figure in the metadata, as a function of 2 x 1,769 MB has
DIGITS = 4

# Ways to slice the rows; a row without a value is in no slice of that kind.
_SLICES: dict[str, Callable[[learning.Row], str]] = {
    "origins": lambda row: "written corpus" if row.shard.startswith(CORPUS_SHARD) else "public sources",
    "sources": lambda row: row.shard,
    "subfamilies": lambda row: f"{row.family} {row.subfamily}" if row.subfamily else "",
    "lengths": lambda row: length_bucket(row.text),
    "languages": lambda row: row.lang,
    "roles": lambda row: row.role,
}


def measure(config: TrainConfig, work: Path, models: Path) -> Report:
    """Scans the ``dev`` and ``test`` sources with the model of ``models``, writes the figures, returns test's report.

    Metadata takes the figures of ``test`` alone: calibration and thresholds have seen ``dev``.
    """
    settings = replace(
        from_environment({}), models_dir=models.resolve(), l2_model=config.model_id, onnx_num_threads=_THREADS
    )
    engine = build_engine(settings)
    document: dict[str, Any] = {
        "model_id": config.model_id,
        "digest": engine.model_info.digest if engine.model_info else None,
        "command": "make data train export bundle benchmark",
        "machine": _machine(),
    }
    told: list[RowOutcome] = []
    for name in ("dev", "test"):
        rows = learning.read_rows(work / f"{name}.jsonl")
        outcomes = list(tracked(scan_rows(map(_row, rows), engine), f"scanning {name}", len(rows)))
        document[name] = _sliced(rows, outcomes)
        told += [row_outcome(name, row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
    write_outcomes(work / OUTCOMES, told)
    report = summarise(outcomes, engine.model_info)
    out = models / "benchmarks" / f"{config.model_id}.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    _into_metadata(models / "metadata" / f"{config.model_id}.json", report)
    return report


def against_targets(config: TrainConfig, models: Path) -> Iterator[tuple[str, bool]]:
    """Yields each target beside the figure in the model's metadata, and whether it is reached."""
    accuracy = load_metadata(models / "metadata" / f"{config.model_id}.json").accuracy
    if accuracy is None:
        yield "no figures in the metadata; run `raxe-ml benchmark`", False
        return
    yield from ((str(target), not target.missed_by) for target in targets(config.targets, accuracy))


def _row(row: learning.Row) -> Row:
    return Row(row.text, int(row.is_attack), row.shard, Source(row.role))


def _sliced(rows: Sequence[learning.Row], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of all rows, of each family's attacks with all benign rows, and of each slice by its name."""
    found: dict[str, Any] = {"overall": _flat(outcomes), "families": _families(rows, outcomes)}
    for kind, key in _SLICES.items():
        groups: dict[str, list[Outcome]] = {}
        for row, outcome in zip(rows, outcomes, strict=True):
            if name := key(row):
                groups.setdefault(name, []).append(outcome)
        found[kind] = {name: _flat(group) for name, group in sorted(groups.items())}
    return found


def _families(rows: Sequence[learning.Row], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    paired = list(zip(rows, outcomes, strict=True))
    names = sorted({row.family for row in rows if row.is_attack})
    return {name: _flat([o for row, o in paired if row.family in (name, learning.BENIGN)]) for name in names}


def _flat(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures as plain values, rounded; those that the rows do not define are left out."""
    figures = set_figures([o.row.label for o in outcomes], [o.flagged for o in outcomes], [o.score for o in outcomes])
    return {name: _rounded(value) for name, value in asdict(figures).items() if value is not None}


def _rounded(value: Any) -> Any:  # noqa: ANN401  # any value that asdict gives
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, tuple) else value


def _machine() -> str:
    return f"{platform.machine()}, {os.cpu_count()} CPUs, {_THREADS} threads"


def _into_metadata(path: Path, report: Report) -> None:
    found, latency = report.overall.figures, report.overall.latency
    shares = {name: getattr(found, name) for name in ("recall", "fpr", "precision", "f1", "balanced_accuracy", "auroc")}
    if shares["precision"] is None:
        shares["precision"] = 0.0  # nothing is flagged, as a model of a smoke run may do: no attack is found either
    if latency is None or None in shares.values():
        raise ValueError("the test sources must hold attacks and benign rows")
    accuracy = Accuracy(rows=found.n, **{name: round(value, DIGITS) for name, value in shares.items()})
    times = {f"latency_{name}": round(value, DIGITS) for name, value in asdict(latency).items()}
    performance = Performance(**times, machine=_machine())
    save_metadata(path, load_metadata(path).model_copy(update={"accuracy": accuracy, "performance": performance}))
