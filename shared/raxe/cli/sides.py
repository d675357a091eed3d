"""How ``raxe models test``, ``compare`` and ``benchmark`` show what they measured: models side by side."""

import json
from collections.abc import Sequence
from typing import Any

import typer

from raxe.cli.output import cell, facts, show, table
from raxe.measuring import Answer, Measured, Run, Sample, SampleSet, document

_LABELS = {None: "-", 0: "benign", 1: "attack"}
_FITS = {None: "", True: "", False: "wrong"}
_QUALITY = ("recall", "fpr", "f1", "balanced_accuracy", "auroc")
_SPEED = ("p50_ms", "p95_ms", "p99_ms")
_MOST_LINES = 10


def show_stored(figures: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Prints the figures that metadata has."""
    if as_json:
        typer.echo(json.dumps(figures))
        return
    names = [name for name in figures[0] if name != "model_id"]
    _side_by_side([each["model_id"] for each in figures], {name: [each[name] for each in figures] for name in names})


def show_run(run: Run, written: Sequence[str], *, as_json: bool) -> None:
    """Prints what a run measured, and the names of the files that it left."""
    found = [document(run, model) for model in run.models]
    if as_json:
        models = [each.model_dump(mode="json") for each in found]
        typer.echo(json.dumps({"models": models, "differing": run.differing, "written": written}))
        return
    _side_by_side([each.model_id for each in found], _rows(found))
    count = len(run.samples.samples)
    typer.echo()
    pairs: list[tuple[str, object]] = [
        ("texts", f"{count}, {run.iterations} times each{smoke_note(run.samples)}"),
        ("differing", f"{len(run.differing)} of {count}{_lines(run.differing)}"),
        ("machine", f"{run.machine}; load {run.load[0]:g} before, {run.load[1]:g} after"),
    ]
    show(facts(pairs + [("wrote", each) for each in written]))


def _rows(found: Sequence[Measured]) -> dict[str, list[object]]:
    rows: dict[str, list[object]] = {name: [getattr(each.accuracy, name) for each in found] for name in _QUALITY}
    rows |= {name: [getattr(each.latency, name, None) for each in found] for name in _SPEED}
    return rows | {name: [getattr(each, name) for each in found] for name in ("memory_mb", "size_mb")}


def _side_by_side(model_ids: Sequence[str], rows: dict[str, list[object]]) -> None:
    made = table(["figure"], model_ids)
    for name, values in rows.items():
        made.add_row(name, *map(cell, values))
    show(made)


def show_answers(samples: SampleSet, answers: Sequence[Answer], *, show_texts: bool) -> None:
    """Prints a line a text: what it is by digest, what it should be, what was said of it."""
    made = table(["line", "sha256", "label", "verdict", "", *(["text"] if show_texts else [])], ["score", "model"])
    for sample, found in zip(samples.samples, answers, strict=True):
        fits = {None: "", True: "", False: "wrong"}[found.fits(sample.label)]
        words = [
            str(sample.line),
            sample.digest,
            _LABELS[sample.label],
            found.verdict,
            "failed" if found.failed else fits,
        ]
        made.add_row(
            *words, *([repr(sample.text)] if show_texts else []), f"{found.score:.4f}", f"{found.model_score:.4f}"
        )
    show(made)


def answer_body(sample: Sample, found: Answer, *, show_texts: bool) -> dict[str, object]:
    """What was said of one text, as JSON; the text itself only where it is asked for."""
    return {
        "line": sample.line, "sha256": sample.digest, "label": sample.label, "verdict": found.verdict,
        "score": round(found.score, 4), "model_score": round(found.model_score, 4), "failed": found.failed,
        "fits": found.fits(sample.label), **({"text": sample.text} if show_texts else {}),
    }  # fmt: skip


def counts(samples: SampleSet) -> dict[str, object]:
    """Which texts they are, and how many."""
    counts = {"texts": len(samples.samples), "attacks": samples.attacks, "benign": samples.benign}
    return {"smoke": samples.smoke, "sha256": samples.sha256, **counts}


def smoke_note(samples: SampleSet) -> str:
    """A warning where the texts are the shipped ones, else nothing."""
    return " (smoke set: no measure of quality)" if samples.smoke else ""


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:_MOST_LINES])) + (", ..." if len(lines) > _MOST_LINES else "")
    return f": lines {shown}" if lines else ""
