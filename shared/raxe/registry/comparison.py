"""Models side by side."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from raxe.registry.metadata import Metadata

_HEAD = ("id", "status", "size MB", "p50 ms", "p95 ms", "p99 ms", "recall", "FPR", "F1", "balanced acc.", "AUROC")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The measured figures of several models, in the order they were asked for."""

    models: tuple[Metadata, ...]

    def rows(self) -> list[tuple[str, ...]]:
        """One row a model as words; what was not measured is a dash."""
        return [_row(model) for model in self.models]

    def table(self) -> str:
        """The rows below their head, in columns."""
        return _columns([_HEAD, *self.rows()])

    def print_table(self) -> None:
        """Writes the table to stdout."""
        sys.stdout.write(self.table())


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
