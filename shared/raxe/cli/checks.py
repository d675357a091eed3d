"""``raxe models validate``: whether models hold what they say."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from raxe.bootstrap import ModelRegistry
from raxe.cli.ids import known_ids
from raxe.cli.output import examples, reported

if TYPE_CHECKING:  # it takes 10 ms that the other commands need not pay
    from raxe.bootstrap.validation import Check, Validation

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(epilog=examples("raxe models validate", "raxe models validate ID --json"))
def validate(
    model_id: Annotated[
        str | None,
        typer.Argument(
            metavar="ID", help="Id of the model; without it all of them.", show_default=False, autocompletion=known_ids
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check models: a line a check.

    Metadata and its schema, each file and its checksum, the structure of the bundle, versions of packages, loading
    with a first inference, golden scores. What could not be checked after a failure is left out. Exit code: 0 all
    hold, 1 one fails, 2 error.
    """
    with reported():
        registry = ModelRegistry()
        ids = [model_id] if model_id else [*registry.errors, *(model.model_id for model in registry.list_models())]
        found = [registry.validate_model(each) for each in ids]
    if as_json:
        body = [{"model_id": one.model_id, "passed": one.passed, "checks": _checks(one)} for one in found]
        typer.echo(json.dumps(body))
    else:
        for one in found:
            for check in one.checks:
                # Not a table: it would fold what is wrong, and a line a check is what grep reads.
                typer.echo(f"{one.model_id}  {'FAIL' if check.problem else 'ok':4}  {_words(check)}")
        if not found:
            typer.echo("no models")
    raise typer.Exit(int(not all(one.passed for one in found)))


def _checks(one: "Validation") -> list[dict[str, object]]:
    return [{**asdict(check), "passed": check.problem is None} for check in one.checks]


def _words(check: "Check") -> str:
    return check.name if check.problem is None else f"{check.name}: {check.problem}"
