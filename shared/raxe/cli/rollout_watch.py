"""``raxe rollout watch``: the arms live in the terminal, or a block of lines or a line of JSON a reading."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table

from raxe.cli.output import FAILED, console, examples, facts, reported, show, table
from raxe.cli.rollout_reading import Places, Reading
from raxe.cli.rollout_writing import AsJson, At, lines
from raxe.experiments.watching import ArmFigures
from raxe.settings import from_environment

app = typer.Typer()

_NONE = "-"
Parts = list[Table | str]


@app.command(
    epilog=examples(
        "raxe rollout watch",
        "raxe rollout watch --count 1 --json",
        "raxe rollout watch --at ssm:/raxe/prod/rollout \\",
        "    --experiments dynamodb:TABLE --experiment minilm-v2",
    )
)
def watch(
    at: At = None,
    experiments: Annotated[
        str | None, typer.Option(help="dynamodb:TABLE or a SQLite file; else RAXE_EXPERIMENTS.", show_default=False)
    ] = None,
    experiment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name; else RAXE_EXPERIMENT.", show_default=False)
    ] = None,
    stack: Annotated[
        str | None, typer.Option(help="Whose alarms; else that of ssm:/raxe/STAGE/rollout.", show_default=False)
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two readings.")] = 5,
    window: Annotated[float, typer.Option(min=1, help="Seconds that figures go back.")] = 300,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many readings.", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Watch the arms: scans, flags, failures, latency, the document in force, alarms.

    A source that fails is named and its last figures stay, marked as stale. Ctrl-C ends. Exit code: 0, or 2 for an
    error, such as a source that failed at the last of --count readings.
    """
    with reported():
        settings = from_environment()
        places = Places(
            at or settings.rollout,
            experiments or settings.experiments,
            experiment or settings.experiment,
            stack,
            window,
        )
        reading = Reading(places)
    with suppress(KeyboardInterrupt), _printing(as_json=as_json) as print_reading:
        for _ in _refreshed(reading, every, count):
            print_reading(reading)
    raise typer.Exit(FAILED if count is not None and reading.failing else 0)


def _refreshed(reading: Reading, every_s: float, count: int | None) -> Iterator[None]:
    """Once for each reading, as soon as it is there."""
    done = 0
    while True:
        reading.refresh()
        yield
        done += 1
        if done == count:
            return
        time.sleep(every_s)


@contextmanager
def _printing(*, as_json: bool) -> Iterator[Callable[[Reading], None]]:
    """What prints a reading: over the one before in a terminal, below it anywhere else."""
    out = console()
    if as_json:
        yield lambda reading: print(reading.json(), flush=True)
    elif sys.stdout.isatty() and out.is_interactive:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda reading: live.update(Group(*_parts(reading)), refresh=True)
    else:
        yield _print_below


def _print_below(reading: Reading) -> None:
    for part in _parts(reading):
        show(part)
    print(flush=True)


def _parts(reading: Reading) -> Parts:
    """The document, the arms, the alarms, and what is stale."""
    parts: Parts = []
    if reading.document and reading.document.value:
        stored, rollout = reading.document.value
        note = f", {stored.note}" if stored.note else ""
        parts += [f"{'document':14}version {stored.version} of {stored.at}{note}", *lines(rollout), ""]
    if reading.figures and reading.figures.value:
        span_s = reading.figures.value.span_s
        parts += [_arms(reading.arms) if reading.arms else "nothing was counted yet", ""]
        span = "since counting began" if span_s is None else f"the last {span_s:.0f} s"
        parts.append(f"{'counted':14}{reading.places.experiment}, {span}")
    if reading.figures is None:
        parts.append(f"{'counted':14}nothing: RAXE_EXPERIMENTS is not set")
    if reading.alarms and reading.alarms.value is not None:
        parts.append(f"{'in alarm':14}{', '.join(reading.alarms.value) or 'none'}")
    stale: list[tuple[str, object]] = []
    for name, each in reading.sources.items():
        if each.at and not each.error:
            continue
        then = f"stale, as of {each.at:%H:%M:%S} UTC" if each.at else "not read yet"
        stale.append((f"{name:12}", f"{then}: {each.error}"))
    if stale:
        parts.append(facts(stale))
    read = max((each.at for each in reading.sources.values() if each.at), default=None)
    return [*parts, f"{'read':14}{read:%Y-%m-%d %H:%M:%S} UTC" if read else f"{'read':14}nothing yet"]


def _arms(arms: list[ArmFigures]) -> Table:
    out = table(["arm"], ["scans", "a minute", "flagged", "failed", "p50 ms", "p95", "p99"])
    for arm in arms:
        times = [arm.latency.p50_ms, arm.latency.p95_ms, arm.latency.p99_ms] if arm.latency else [None] * 3
        out.add_row(
            arm.arm,
            str(arm.scans),
            _NONE if arm.per_minute is None else f"{arm.per_minute:.1f}",
            *(_NONE if share is None else f"{share:.2%}" for share in (arm.flagged, arm.failed)),
            *(_NONE if figure is None else f"{figure:.2f}" for figure in times),
        )
    return out
