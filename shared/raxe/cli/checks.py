"""``raxe models validate`` and ``compare``: whether models hold what they say, and how they differ."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from raxe.bootstrap import ModelRegistry
from raxe.cli.output import examples, fail, reported, show, table

if TYPE_CHECKING:  # it takes 10 ms that the other commands need not pay
    from raxe.bootstrap.validation import Check, Validation

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(epilog=examples("raxe models validate", "raxe models validate ID --json"))
def validate(
    model_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Id of the model; without it all of them.", show_default=False)
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


@app.command(epilog=examples("raxe models compare A B", "raxe models compare A B C --json"))
def compare(
    model_ids: Annotated[list[str], typer.Argument(metavar="ID ID...", help="Two models or more.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Show the figures of models side by side, as their metadata has them: size, latency, memory, accuracy.

    What was not measured is a dash (null in JSON). Exit code: 0, or 2 for an error.
    """
    with reported():
        if len(model_ids) < 2:
            fail("give two models or more")
        figures = ModelRegistry().compare_models(model_ids).figures()
    if as_json:
        typer.echo(json.dumps(figures))
        return
    made = table(["figure"], [str(each["model_id"]) for each in figures])
    for name in list(figures[0])[1:]:
        made.add_row(name, *(_cell(each[name]) for each in figures))
    show(made)


def _checks(one: "Validation") -> list[dict[str, object]]:
    return [{**asdict(check), "passed": check.problem is None} for check in one.checks]


def _words(check: "Check") -> str:
    return check.name if check.problem is None else f"{check.name}: {check.problem}"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)
