"""Progress of long stages on a terminal; where the error stream is none, no bar is drawn."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

T = TypeVar("T")


class Bar:
    """The bar of one stage; what it prints stands above it."""

    def __init__(self, progress: Progress, what: str, total: int, done: int) -> None:
        """Draws it at ``done`` of ``total``."""
        self._progress, self._task = progress, progress.add_task(what, total=total, completed=done)

    def advance(self, label: str | None = None) -> None:
        """One more is done; ``label`` replaces what is shown before the bar."""
        self._progress.update(self._task, advance=1, description=label)


@contextmanager
def bar(what: str, total: int, done: int = 0) -> Iterator[Bar]:
    """A bar that is gone at the end."""
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        yield Bar(progress, what, total, done)


def tracked(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yields the items while a bar shows how many of ``total`` are done."""
    with bar(what, total) as drawn:
        for item in items:
            yield item
            drawn.advance()
