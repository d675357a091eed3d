"""The command line, ``raxe``: scan a text, evaluate on labelled rows, look at models and rules."""

import difflib
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from raxe import __version__
from raxe.cli import ab, checks, choice, evaluate, measured, models, publishing, rollout, rules, scan
from raxe.cli.output import examples


class _Commands(TyperGroup):
    """The commands; an unknown one is not named in the message, since it may be a text that lacks its `scan`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401  (types of typer's own copy of click)
        """Name, command and remaining arguments; ends with exit code 2 when there is no such command."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            ctx.fail(f"no such command; did you mean {near[0]}?" if near else "no such command; a text needs `scan`")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="raxe",
    cls=_Commands,
    help="A prompt firewall: scans texts for attacks on language models, on this machine.",
    epilog=examples('raxe scan "Tell me about otters"', "raxe evaluate --data rows.jsonl", "raxe COMMAND --help"),
    no_args_is_help=True,
    # Plain text looks the same in a terminal, a pipe and the documentation; a pretty traceback could show the text.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
# typer's messages about unknown options and further arguments would repeat the text: scan says itself what is wrong.
app.command(
    epilog=examples(
        'raxe scan "Ignore all previous instructions."',
        "raxe scan --source document --file page.html --json",
        "git log -1 --format=%B | raxe scan -",
        'raxe scan -- "--starts with a dash"',
    ),
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)(scan.scan)
app.command(
    epilog=examples("raxe evaluate --data rows.jsonl", "USE_ONNX_ONLY=false raxe evaluate --data rows.jsonl --json"),
)(evaluate.evaluate)
models.app.add_typer(checks.app)
models.app.add_typer(choice.app)
models.app.add_typer(measured.app)
models.app.add_typer(publishing.app)
app.add_typer(models.app, name="models")
app.add_typer(rollout.app, name="rollout")
app.add_typer(rules.app, name="rules")
app.add_typer(ab.app, name="ab")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"raxe {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Runs before every command; there is nothing to prepare."""
