"""``raxe evaluate``: the serving path on labelled rows."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from raxe.bootstrap import build_engine
from raxe.cli.output import fail, reported, show, table, tracked
from raxe.evaluation import Report, SetReport, read_rows
from raxe.evaluation import evaluate as report_on
from raxe.settings import from_environment

_MOST_DECIMALS = 6


def evaluate(
    data: Annotated[Path, typer.Option(help="JSON Lines of {text, label: 0|1, set?, role?: user|document|tool}.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Read the first N rows only.", show_default=False)] = None,
) -> None:
    """Measure the serving path on labelled rows.

    Rows are scanned one at a time, as requests would be. A row is flagged when its verdict is review or block. A row
    whose text is refused (empty or too large) never reaches the model behind the firewall: it counts as flagged, and
    in the column refused. A figure that is not defined, such as recall without an attack, is printed as - (null in
    JSON). Exit code: 0, or 2 for an error.
    """
    with reported():
        rows = read_rows(data, limit)
        engine = build_engine(from_environment())
    if engine.broken:
        fail(f"the model is not loaded: {engine.broken}; USE_ONNX_ONLY=false evaluates the rules alone")
    report = report_on(tracked(rows, "scanning", len(rows)), engine)
    if as_json:
        typer.echo(json.dumps(_body(report), allow_nan=False))
    else:
        _print(report)


def _body(report: Report) -> dict[str, Any]:
    model = report.model
    return {
        "model": {"id": model.model_id, "digest": model.digest, "arm": model.arm} if model else None,
        "overall": _set_body(report.overall),
        "sets": [_set_body(one) for one in report.sets],
        "refused": [asdict(refusal) for refusal in report.refused],
    }


def _set_body(one: SetReport) -> dict[str, Any]:
    """One flat object: name, figures, latency, refused, failed."""
    latency = asdict(one.latency) if one.latency else dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"))
    flat = {**asdict(one.figures), **latency}
    rounded = {key: round(value, _MOST_DECIMALS) if isinstance(value, float) else value for key, value in flat.items()}
    return {"set": one.name, **rounded, "refused": one.refused, "failed": one.failed}


def _print(report: Report) -> None:
    good = table(["set"], ["n", "refused", "recall", "FPR", "precision", "F1", "bal. acc.", "AUROC"])
    fast = table(["set"], ["p50 ms", "p95 ms", "p99 ms"])
    for one in report.sets:
        _add(good, fast, one, one.name or "(no set)")
    _add(good, fast, report.overall, "overall")
    for part in (good, "", fast, "", f"model: {report.model.model_id if report.model else 'none, rules only'}"):
        show(part)
    if report.overall.failed:
        show(f"A layer did not answer for {report.overall.failed} rows: their figures say little.")


def _add(good: Table, fast: Table, one: SetReport, name: str) -> None:
    f = one.figures
    shares = (f.recall, f.fpr, f.precision, f.f1, f.balanced_accuracy, f.auroc)
    good.add_row(name, str(f.n), str(one.refused), *(_cell(share, 4) for share in shares))
    latency = (one.latency.p50_ms, one.latency.p95_ms, one.latency.p99_ms) if one.latency else (None, None, None)
    fast.add_row(name, *(_cell(value, 2) for value in latency))


def _cell(value: float | None, decimals: int) -> str:
    return "-" if value is None else f"{value:.{decimals}f}"
