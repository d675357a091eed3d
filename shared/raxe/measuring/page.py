"""The report on a run: one page of HTML with tables and plots, without script, network or any text of a prompt."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

import numpy as np
from numpy.typing import NDArray

from raxe.measuring.drawings import Axis, axis_over, bars, curves, strips
from raxe.measuring.resident import SCANS
from raxe.measuring.running import ModelRun, Run

_TEMPLATE = Path(__file__).parent / "data" / "report.html.template"
_STEPS = 200  # points of a curve at most
_SMOKE = (
    "The texts are the small set that ships with the package: plain cases that a sound model gets right. Their "
    "accuracy is a smoke test; it says nothing of how good a model is on real traffic."
)
_OWN = "The texts are those of a file; how far their accuracy carries depends on what is in it."
_COURSE = (
    "Scans alternate between the models, so what slows the machine slows all of them: lines that rise together are the "
    "machine, not a model."
)
_QUALITY = ("recall", "fpr", "precision", "f1", "balanced_accuracy", "auroc")


def page(run: Run) -> str:
    """The whole page."""
    samples = run.samples
    facts = {
        "models": ", ".join(model.model_id for model in run.models),
        "measured": f"{run.started}, UTC",
        "machine": run.machine,
        "load average": f"{run.load[0]:g} before, {run.load[1]:g} after",
        "texts": f"{len(samples.samples)}: {samples.attacks} attacks, {samples.benign} benign",
        "texts' digest": samples.sha256,
        "scans a model": f"{run.iterations * len(samples.samples)}, in turn with the others",
    }
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        lead=_SMOKE if samples.smoke else _OWN,
        facts="\n".join(f"<dt>{escape(name)}</dt><dd>{escape(words)}</dd>" for name, words in facts.items()),
        tables="\n".join((_figures(run), _differing(run))),
        plots="\n".join(_plots(run)),
    )


def _figures(run: Run) -> str:
    fitting, serving = [], []
    for model in run.models:
        found, latency = run.figures(model), model.latency
        times = (latency.p50_ms, latency.p95_ms, latency.p99_ms) if latency else (None,) * 3
        fitting.append((model.model_id, *(_cell(getattr(found, name), 4) for name in _QUALITY)))
        cost = (_cell(model.memory_mb, 0), _cell(model.size_mb, 1))
        serving.append((model.model_id, *(_cell(value, 2) for value in times), *cost))
    head = ("model", "recall", "FPR", "precision", "F1", "bal. acc.", "AUROC")
    costs = ("model", "p50 ms", "p95 ms", "p99 ms", "memory MB", "files MB")
    return "\n".join((_table("Verdicts", head, fitting), _table("Latency, memory, size", costs, serving)))


def _differing(run: Run) -> str:
    """The texts on which models differ, or are not what the label asks for: line, digest, verdicts."""
    rows = []
    for place, sample in enumerate(run.samples.samples):
        said = [model.answers[place] for model in run.models]
        if sample.line in run.differing or any(each.fits(sample.label) is False for each in said):
            label = {None: "-", 0: "benign", 1: "attack"}[sample.label]
            rows.append((f"{sample.line}", sample.digest, label, *(f"{a.verdict} {a.score:.3f}" for a in said)))
    if not rows:
        return '<p class="lead">No text is judged differently by the models, or otherwise than its label says.</p>'
    head = ("line", "sha256", "label", *(model.model_id for model in run.models))
    return _table("Texts that models judge differently, or wrongly", head, rows)


def _plots(run: Run) -> list[str]:
    names = [model.model_id for model in run.models]
    taken = [np.sort(model.times_ms[~np.isnan(model.times_ms)]) for model in run.models]
    found = [*_latency(names, taken), _course(run)] if all(len(each) for each in taken) else []
    if any(model.memory_mb for model in run.models):
        memory = bars([("memory", [model.memory_mb for model in run.models])], names, "MB")
        found.append(_figure("Memory", memory, f"Resident in a fresh process after {SCANS} scans."))
    if run.samples.attacks or run.samples.benign:
        rows = [(model.model_id, _scores(run, model)) for model in run.models]
        caption = "A tick is a text; the score is that of rules and model together."
        found.append(_figure("Scores", strips(rows, Axis("score", 0, 1)), caption))
    return found


def _latency(names: Sequence[str], taken: Sequence[NDArray[np.float64]]) -> list[str]:
    ends = [float(value) for each in taken for value in (each[0], each[-1])]
    shares = [(name, _distribution(each)) for name, each in zip(names, taken, strict=True)]
    x = axis_over("milliseconds a scan, logarithmic", ends, log=True)
    percentiles = [(f"p{q}", [float(np.percentile(each, q)) for each in taken]) for q in (50, 95, 99)]
    return [
        _figure("Latency", curves(shares, x, Axis("share of scans", 0, 1)), "Share of the scans done in that time."),
        _figure("Percentiles", bars(percentiles, names, "ms"), "Of all scans."),
    ]


def _course(run: Run) -> str:
    """The median of each pass: what a busy machine does to the models."""
    course = [
        (model.model_id, [(float(n), float(np.nanmedian(times))) for n, times in enumerate(model.times_ms, 1)])
        for model in run.models
    ]
    y = axis_over("median ms", [value for _, points in course for _, value in points])
    x = Axis("pass over the texts", 1, max(run.iterations, 2))
    return _figure("Course of the run", curves(course, x, y, height=240), _COURSE)


def _distribution(taken: NDArray[np.float64]) -> list[tuple[float, float]]:
    """The distribution of sorted times as points of a curve."""
    places = np.unique(np.linspace(0, len(taken) - 1, min(_STEPS, len(taken))).astype(int))
    return [(float(taken[place]), (int(place) + 1) / len(taken)) for place in places]


def _scores(run: Run, model: ModelRun) -> list[tuple[str, list[float]]]:
    pairs = list(zip(run.samples.samples, model.answers, strict=True))
    kinds = (("benign", 0), ("attack", 1))
    return [(kind, [a.score for sample, a in pairs if sample.label == label]) for kind, label in kinds]


def _figure(title: str, svg: str, caption: str) -> str:
    return f"<figure>\n<h3>{escape(title)}</h3>\n{svg}\n<figcaption>{escape(caption)}</figcaption>\n</figure>"


def _table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = [
        f'<tr><th scope="row">{escape(row[0])}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    ]
    body = "\n".join(lines)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption>\n<thead><tr>{cells}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _cell(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
