"""Performance validation: the budgets of `make bench`.

Sizes and memory are limits of the platform and block. Times are those of the machine that the checklist runs on: over
its budget a time is a missed target, and blocks only at the time from which health and alarms call a scan too slow.
"""

from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO

from raxe.api.health import SLOW_MS
from tests.bench.run import Figure, disk_figure, emulator_figures, library_figures, size_figures
from tests.validation.items import Item, State, Subject, state_of

DEPLOYED = ("arm64",)  # what samconfig.toml deploys; `make bench` builds both
_SLOWEST = "warm scan P95, mixed traffic"


def performance(subject: Subject) -> Iterator[Item]:
    """All items of this group, in order."""
    yield item(disk_figure(subject.model))
    for figure in library_figures():
        yield item(figure)
        if figure.what.startswith(_SLOWEST):
            yield limit(replace(figure, what=f"{_SLOWEST}, against the alarm", bound=SLOW_MS))
    yield from map(item, emulator_figures())
    with redirect_stdout(StringIO()):  # what sam says would stand in the middle of the JSON; `make build` shows it
        sizes = size_figures(DEPLOYED)
    yield from map(item, sizes)


def item(figure: Figure) -> Item:
    """A figure as an item: a time over its budget is missed, anything else over its budget fails."""
    if figure.held or figure.unit != "ms":
        return limit(figure)
    return Item(figure.what.strip(), State.MISS, _words(figure))


def limit(figure: Figure) -> Item:
    """A figure as an item that fails over its budget."""
    return Item(figure.what.strip(), state_of(figure.held), _words(figure))


def _words(figure: Figure) -> str:
    return f"{figure.measured} ({figure.budget})" if figure.budget else figure.measured
