"""``raxe models which``: the model that serves, and why."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from raxe.bootstrap import pick
from raxe.cli.output import examples, facts, reported, show, table
from raxe.settings import from_environment

app = typer.Typer()


@app.command(epilog=examples("raxe models which", "RAXE_L2_MODEL=ID raxe models which --json"))
def which(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show which model serves, and why.

    RAXE_L2_MODEL decides, else config.yaml, else its fallback model, else the rules alone. The model is loaded as a
    start would load it. Exit code: 0 there is one, or rules alone are wanted; 1 the model that should serve cannot;
    2 error.
    """
    with reported():
        loaded, choice = pick(from_environment())
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
