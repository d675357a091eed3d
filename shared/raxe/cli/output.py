"""What the commands share: the console, tables, and errors as one line and exit code 2."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from raxe.errors import InvalidInput, RaxeError

FAILED = 2  # exit code when there is no answer: bad input, wrong settings, unreadable file


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
