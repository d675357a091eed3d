"""``raxe models which`` and ``set-default``: the model that serves, and why."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from raxe.bootstrap import ModelRegistry, open_store, pick
from raxe.bootstrap.rollout import open_rollout
from raxe.cli.ids import ModelId
from raxe.cli.output import examples, facts, reported, show, table
from raxe.errors import RaxeError
from raxe.registry import Status, set_default
from raxe.rollout import Rollout, parse_rollout
from raxe.settings import from_environment

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command(epilog=examples("raxe models which", "RAXE_L2_MODEL=ID raxe models which --json"))
def which(as_json: AsJson = False) -> None:
    """Show which model serves, and why.

    RAXE_L2_MODEL decides, else the rollout document (RAXE_ROLLOUT), else config.yaml, else its fallback model, else
    the rules alone. The model is loaded as a
    start would load it. Exit code: 0 there is one, or rules alone are wanted; 1 the model that should serve cannot;
    2 error.
    """
    with reported():
        settings = from_environment()
        loaded, choice = pick(settings, _document(settings.rollout))
    serving = choice.model.model_id if choice.model else None
    if as_json:
        digest = loaded.detector.model_info.digest if loaded else None
        steps = [asdict(step) for step in choice.steps]
        typer.echo(json.dumps({"model_id": serving, "digest": digest, "steps": steps}))
    else:
        show(facts([("model", serving or "none: rules only")]))
        made = table(["asked", "outcome", "model", "reason"])
        for step in choice.steps:
            made.add_row(step.source, step.outcome.value, step.model_id or "-", step.reason)
        show(made)
    raise typer.Exit(int(choice.cause is not None))


@app.command("set-default", epilog=examples("raxe models set-default ID", "raxe models set-default ID --json"))
def make_default(
    model_id: ModelId,
    as_json: AsJson = False,
) -> None:
    """Make config.yaml name this model; its other keys stay.

    The file is written whole or not at all. Its comments stay where it has a key a line; otherwise it is rewritten
    without them, and that is said. Exit code: 0, or 2 for an error, such as an unknown model.
    """
    with reported():
        settings = from_environment()
        model = ModelRegistry(settings=settings).get_model(model_id)
        written = set_default(open_store(settings), model_id)
    if model.status is not Status.ACTIVE:
        typer.echo(f"warning: {model_id} is {model.status.value}", err=True)
    if settings.l2_model:
        typer.echo("warning: RAXE_L2_MODEL is set and wins over config.yaml", err=True)
    if as_json:
        typer.echo(json.dumps({**written.config.model_dump(), "kept_comments": written.kept_comments}))
        return
    if not written.kept_comments:
        typer.echo("config.yaml had another form: it was rewritten without its comments")
    typer.echo(f"config.yaml: explicit {model_id}")


def _document(place: str | None) -> Rollout | None:
    """The rollout document in force, None without one; an error is said, and config.yaml decides as a start would."""
    if place is None:
        return None
    try:
        stored = open_rollout(place, patient=True).read()
        return parse_rollout(stored.content, stored.version)
    except RaxeError as error:
        typer.echo(f"warning: no rollout document: {error}", err=True)
        return None
