"""The tables of the report and of the model card, and how they are written in Markdown and in HTML."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from raxe_ml.corpus.words import BUCKETS
from raxe_ml.measured import Measured
from raxe_ml.outcomes import by_length

_ABSENT = ""  # a figure that the rows do not define is left out, not zero
_SLICES = {
    "origins": "origin",
    "sources": "source",
    "subfamilies": "family and subfamily, or benign kind",
    "lengths": "words",
    "languages": "language",
    "roles": "role",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text; the first column names the row.

    Attributes:
        words: how many columns from the left hold words; the others hold figures and stand to the right in Markdown.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def markdown(self) -> str:
        """The table in Markdown, without its title."""
        rule = ("---" if column < self.words else "---:" for column in range(len(self.header)))
        lines = [self.header, rule, *self.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

    def html(self) -> str:
        """The table as an HTML element, its title as the caption."""
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in self.header)
        body = "\n".join(
            f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
            for name, *cells in self.rows
        )
        return (
            f"<table>\n<caption>{escape(self.title)}</caption>\n<thead><tr>{head}</tr></thead>\n"
            f"<tbody>\n{body}\n</tbody>\n</table>"
        )


def target_table(measured: Measured) -> Table:
    """Each target beside its figure, and by how much it is missed."""
    rows = [
        (each.name, each.wanted, f"{each.measured:.4f}", f"missed by {each.missed_by:.4f}" if each.missed_by else "yes")
        for each in measured.targets
    ]
    return Table("Targets", ("target", "wanted", "measured", "reached"), tuple(rows))


def overall_table(measured: Measured) -> Table:
    """Both splits, all rows of each."""
    names = ("recall", "fpr", "f1", "auroc", "recall_at_fixed_fpr", "ece")
    rows = [
        (split, f"{overall['n']:,}", *(_figure(overall.get(name)) for name in names))
        for split in ("dev", "test")
        for overall in (measured.figures[split]["overall"],)
    ]
    header = ("split", "rows", "recall", "FPR", "F1", "AUROC", "recall at FPR 0.5 %", "ECE")
    return Table("All rows", header, tuple(rows))


def family_table(measured: Measured) -> Table:
    """Each family's attacks against all benign rows of test."""
    names = ("recall", "auroc", "recall_at_fixed_fpr")
    rows = [
        (family, f"{found['recall']['n']:,}", *(_figure(found.get(name)) for name in names))
        for family, found in measured.figures["test"]["families"].items()
    ]
    return Table("By family", ("family", "attacks", "recall", "AUROC", "recall at FPR 0.5 %"), tuple(rows))


def slice_tables(measured: Measured) -> dict[str, Table]:
    """The rows of test by origin, source, subfamily, length, language and role, by the names of these slices."""
    return {kind: _slice(kind, measured.figures["test"][kind]) for kind in _SLICES if measured.figures["test"][kind]}


def latency_table(measured: Measured) -> Table:
    """Percentiles of the time of one scan, by length."""
    scanned = [each for each in measured.test if each.duration_ms is not None]
    groups = {**by_length(scanned), "all": scanned} if scanned else {}
    rows = []
    for name, group in groups.items():
        percentiles = np.percentile([each.duration_ms or 0.0 for each in group], (50, 95, 99))
        rows.append((name, f"{len(group):,}", *(f"{ms:.1f}" for ms in percentiles)))
    return Table("Latency, milliseconds of one scan", ("words", "rows", "P50", "P95", "P99"), tuple(rows))


def _slice(kind: str, found: dict[str, Any]) -> Table:
    names: Iterable[str] = [name for _, name in BUCKETS if name in found] if kind == "lengths" else sorted(found)
    rows = [
        (name, f"{found[name]['n']:,}", *(_figure(found[name].get(figure)) for figure in ("recall", "fpr", "auroc")))
        for name in names
    ]
    return Table(f"By {_SLICES[kind]}", (_SLICES[kind], "rows", "recall", "FPR", "AUROC"), tuple(rows))


def _figure(found: dict[str, Any] | float | None) -> str:
    """The figure with its interval where it has one."""
    if found is None:
        return _ABSENT
    if isinstance(found, dict):
        low, high = found["interval"]
        return f"{found['value']:.3f} ({low:.3f} to {high:.3f})"
    return f"{found:.3f}"
