"""What the commands share: the console, tables, and errors as one line and exit code 2."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from raxe.errors import InvalidInput, RaxeError

T = TypeVar("T")

FAILED = 2  # exit code when there is no answer: bad input, wrong settings, unreadable file
_REFRESHES_PER_SECOND = 2  # of a bar: more often would be in the latencies


def console(*, stderr: bool = False) -> Console:
    """A console for stdout or stderr; without a terminal it has no colour and is 80 columns wide."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False)


def show(what: Table | str) -> None:
    """Prints a table or a line to stdout, without the blanks that fill a table's lines."""
    out = console()
    with out.capture() as captured:
        out.print(what)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def fail(message: str) -> NoReturn:
    """Ends the command: the message on stderr, exit code 2."""
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(FAILED)


@contextmanager
def reported() -> Iterator[None]:
    """Makes an error of the library inside it the end of the command, naming the field where there is one."""
    try:
        yield
    except InvalidInput as error:
        fail(f"{error.field}: {error}")
    except RaxeError as error:
        fail(str(error))


def tracked(items: Iterable[T], what: str, total: int) -> Iterable[T]:
    """The items, while a bar on stderr shows how many of ``total`` are done; no bar where stderr is no terminal."""
    return track(
        items,
        what,
        total,
        console=console(stderr=True),
        transient=True,
        refresh_per_second=_REFRESHES_PER_SECOND,
        disable=not sys.stderr.isatty(),
    )


def cell(value: object) -> str:
    """A figure in four digits, a word as it is, a dash for what is not known."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)


def table(left: Sequence[str], right: Sequence[str] = ()) -> Table:
    """An empty table without a frame: columns of words, then columns of figures, which stand to the right."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in left:
        made.add_column(name, overflow="fold")
    for name in right:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def facts(pairs: Sequence[tuple[str, object]]) -> Table:
    """A table of names and values without a head; a value is a string or something rich prints."""
    made = Table.grid(padding=(0, 2, 0, 0))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, Text(value) if isinstance(value, str) else value)  # type: ignore[arg-type]
    return made


def examples(*lines: str) -> str:
    """The examples at the foot of a help text; the backspace keeps typer from joining lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
