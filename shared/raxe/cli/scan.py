"""``raxe scan``: one text in, its verdict out."""

from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import uuid4

import typer

from raxe.bootstrap import build_engine
from raxe.cli.answer import rendered
from raxe.cli.output import reported, show
from raxe.errors import InvalidInput, TextTooLarge
from raxe.report import scan_response
from raxe.settings import from_environment
from raxe.values import Decision, Source

_UTF8_BYTES = 4  # most bytes of one character


def scan(
    context: typer.Context,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The text, or - to read stdin.", show_default=False)
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Scan this UTF-8 file.", show_default=False)] = None,
    source: Annotated[Source, typer.Option(help="Where the text comes from.")] = Source.USER,
    explain: Annotated[bool, typer.Option("--explain", help="Add where and how each thing was found.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the JSON that the API answers.")] = False,
) -> None:
    """Scan one text. The text itself is never printed.

    Exit code: 0 allow, 1 review or block, 2 error.
    """
    with reported():
        settings = from_environment()
        content, name = _content([*([] if text is None else [text]), *context.args], file, settings.max_characters)
        engine = build_engine(settings)
        found = engine.scan_text(content, source, field=name, explain=explain)
    answer = scan_response(found, str(uuid4()), explain=explain)
    if as_json:
        typer.echo(answer.model_dump_json())
    else:
        show(rendered(answer, explain=explain))
    raise typer.Exit(int(answer.verdict is not Decision.ALLOW))


def _content(words: list[str], file: Path | None, most: int) -> tuple[str, str]:
    """The text and what errors call it; raises InvalidInput, without a word of the text."""
    if file is not None and not words:
        try:
            with file.open("rb") as stream:
                return _read(stream, str(file), most), str(file)
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", field=str(file)) from None
    if file is not None or len(words) != 1:
        raise InvalidInput("give one text in quotes, - for stdin, or --file (raxe scan --help)", field="text")
    if words[0] == "-":
        return _read(typer.get_binary_stream("stdin"), "stdin", most), "stdin"
    return words[0], "text"


def _read(stream: BinaryIO, name: str, most: int) -> str:
    """The text of a stream, not more of it than ``most`` characters can take."""
    limit = _UTF8_BYTES * most
    raw = stream.read(limit + 1)
    if len(raw) > limit:
        raise TextTooLarge(f"has more than {limit} bytes, at most {most} characters are scanned", field=name)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInput("is not UTF-8", field=name) from None
