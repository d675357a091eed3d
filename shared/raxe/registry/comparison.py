"""Models side by side."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from raxe.registry.metadata import Metadata

_HEAD = ("id", "status", "size MB", "p50 ms", "p95 ms", "p99 ms", "recall", "FPR", "F1", "balanced acc.", "AUROC")

_SPEED = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "memory_mb")
_QUALITY = ("rows", "recall", "fpr", "precision", "f1", "balanced_accuracy", "auroc")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measured figures of several models, in the order they were asked for."""

    models: tuple[Metadata, ...]

    def figures(self) -> list[dict[str, str | float | None]]:
        """The figures of each model by name, ``model_id`` first, the same names for all; None was not measured."""
        return [_figures(model) for model in self.models]

    def rows(self) -> list[tuple[str, ...]]:
        """One row a model as words; what was not measured is a dash."""
        return [_row(model) for model in self.models]

    def table(self) -> str:
        """The rows below their head, in columns."""
        return _columns([_HEAD, *self.rows()])

    def print_table(self) -> None:
        """Writes the table to stdout."""
        sys.stdout.write(self.table())


def _figures(model: Metadata) -> dict[str, str | float | None]:
    speed, quality = model.performance, model.accuracy
    return {
        "model_id": model.model_id,
        "version": model.version,
        "status": model.status.value,
        "size_mb": model.file_info.size_mb,
        **{name: getattr(speed, name, None) for name in _SPEED},
        **{name: getattr(quality, name, None) for name in _QUALITY},
    }


def _row(model: Metadata) -> tuple[str, ...]:
    speed, quality = model.performance, model.accuracy
    times = (speed.latency_p50_ms, speed.latency_p95_ms, speed.latency_p99_ms) if speed else ()
    rates = (quality.recall, quality.fpr, quality.f1, quality.balanced_accuracy, quality.auroc) if quality else ()
    return (
        model.model_id,
        model.status.value,
        f"{model.file_info.size_mb:.1f}",
        *([f"{time:.2f}" for time in times] or ["-"] * 3),
        *([f"{rate:.4f}" for rate in rates] or ["-"] * 5),
    )


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"
