"""``raxe ab``: what the arms of an experiment did, and labels for their answers."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.table import Table

from raxe.bootstrap.experiments import experiments_of, open_experiments
from raxe.cli.output import examples, fail, reported, show, table
from raxe.errors import InvalidInput, ScanNotFound
from raxe.experiments.comparison import Comparison
from raxe.experiments.feedback import FeedbackRequest
from raxe.experiments.report import Rate, Report, report_json, report_of
from raxe.experiments.statistics import Interval
from raxe.protocols import ExperimentStore
from raxe.settings import from_environment

app = typer.Typer(help="Experiments: two models side by side (RAXE_EXPERIMENTS).", no_args_is_help=True)

At = Annotated[
    str | None, typer.Option(help="dynamodb:TABLE or a SQLite file; else RAXE_EXPERIMENTS.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_NONE = "-"
_MILLISECONDS = "latency_ms"  # the one metric that is no share


@app.command("report", epilog=examples("raxe ab report rollout --at dynamodb:TABLE", "raxe ab report NAME --json"))
def show_report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The experiment.", show_default=False)],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Compare champion and challenger.

    Verdicts hold however often one looks; p and the interval of one look only for one that was planned. Exit code: 0,
    or 2 for an error, such as an unknown experiment.
    """
    with reported():
        made = report_of(_store(at), name)
    if as_json:
        typer.echo(report_json(made))
        return
    for part in (_arms(made), _labels(made), _metrics(made), _differences(made)):
        show(part)
        typer.echo()
    typer.echo(
        f"The verdict and 'at any time' hold at every look, with false alarms in {made.alpha:.0%} of experiments,"
    )
    typer.echo("metric by metric. p and 'one look' hold for one look. Quantiles are within 9 %.")
    typer.echo("All take answers as independent: chance looks real where few subjects send many requests.")
    for warning in made.warnings:
        typer.echo(f"warning: {warning}", err=True)


@app.command(epilog=examples("raxe ab feedback --file labels.jsonl", "raxe ab feedback --file labels.jsonl --at FILE"))
def feedback(
    file: Annotated[Path, typer.Option(help="A JSON object a line: request_id, text_sha256 or both, and label.")],
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Label answers as attack or benign.

    The file is checked before anything is counted; the same label again changes nothing, another one moves the count.
    Exit code: 0; 1 some answers are not remembered; 2 error.
    """
    wanted = _labels_in(file)
    outcomes = Counter[str](counted=0, moved=0, unchanged=0, unknown=0)
    with reported():
        store = _store(at)
        for number, request in wanted:
            try:
                outcomes[store.label(request.feedback, time.time()).outcome] += 1
            except ScanNotFound:
                outcomes["unknown"] += 1
            except InvalidInput as error:
                raise InvalidInput(str(error), field=f"line {number}: {error.field}") from None
    typer.echo(json.dumps(outcomes) if as_json else ", ".join(f"{count} {name}" for name, count in outcomes.items()))
    raise typer.Exit(int(outcomes["unknown"] > 0))


def _store(at: str | None) -> ExperimentStore:
    place = at or from_environment().experiments
    if place is not None and not place.startswith("dynamodb:") and not Path(place).is_file():
        raise InvalidInput("must be dynamodb:TABLE or a file that is there", field="at")
    return open_experiments(place) if place else experiments_of(from_environment())


def _labels_in(file: Path) -> list[tuple[int, FeedbackRequest]]:
    """The labels of a file by line; ends the command at the first wrong one."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        fail(f"{file.name}: {type(error).__name__}")
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append((number, FeedbackRequest.model_validate_json(line)))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            places = [f"{part}: " for part in first["loc"] if part in FeedbackRequest.model_fields]
            fail(f"line {number}: {''.join(places)}{first['msg'].removeprefix('Value error, ')}")
    return found


def _arms(made: Report) -> Table:
    out = table(["arm", "model"], ["n", "flagged", "errors", "mean ms", "p50", "p95", "p99"])
    for arm in made.arms:
        times = arm.latency
        figures = (times.mean_ms, times.p50_ms, times.p95_ms, times.p99_ms) if times else ()
        shares = [f"{rate.value:.2%}" if rate else _NONE for rate in (arm.flag_rate, arm.error_rate)]
        cells = [f"{figure:.2f}" for figure in figures] or [_NONE] * 4
        out.add_row(arm.arm, ", ".join(arm.models) or _NONE, str(arm.n), *shares, *cells)
    return out


def _labels(made: Report) -> Table:
    out = table(["against labels"], ["n", "accuracy", "recall", "FPR"])
    for arm in made.arms:
        rates = [_rate(rate) for rate in (arm.accuracy, arm.recall, arm.fpr)]
        out.add_row(arm.arm, str(arm.accuracy.n if arm.accuracy else 0), *rates)
    return out


def _metrics(made: Report) -> Table:
    out = table(["metric", "verdict"], ["champion", "challenger", "p", "detectable", "matters"])
    for each in made.metrics:
        p = _NONE if each.p_value is None else "<0.0001" if each.p_value < 0.0001 else f"{each.p_value:.4f}"
        sides = [_figure(each, value) for value in (each.champion, each.challenger)]
        out.add_row(
            each.metric, each.finding.value, *sides, p, *(_figure(each, v) for v in (each.detectable, each.matters))
        )
    return out


def _differences(made: Report) -> Table:
    out = table(["challenger less champion", "test"], ["difference", "95 % at any time", "95 % one look"])
    for each in made.metrics:
        spans = [_span(each, span) for span in (each.at_any_time, each.interval)]
        out.add_row(each.metric, each.test, _figure(each, each.difference), *spans)
    return out


def _figure(metric: Comparison, value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:.3f}" if metric.metric == _MILLISECONDS else f"{value:.3%}"


def _span(metric: Comparison, span: Interval | None) -> str:
    return f"{_figure(metric, span.low)} to {_figure(metric, span.high)}" if span else _NONE


def _rate(rate: Rate | None) -> str:
    return f"{rate.value:.1%} ({rate.interval.low:.1%} to {rate.interval.high:.1%})" if rate else _NONE
