"""``raxe models``: what the registry holds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from raxe.adapters import LocalBundleStore
from raxe.bootstrap import ModelRegistry
from raxe.cli.ids import ModelId
from raxe.cli.output import examples, facts, reported, show, table
from raxe.registry import Metadata, migrate_metadata, read_document, save_metadata
from raxe.registry.schema import json_schema
from raxe.registry.schema import template as metadata_template
from raxe.settings import from_environment

app = typer.Typer(
    help="The models in the registry.",
    epilog=examples("raxe models list", "raxe models test ID", "raxe models COMMAND --help"),
    no_args_is_help=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog=examples("raxe models list", "raxe models list --json"))
def list_models(as_json: AsJson = False) -> None:
    """List the models.

    The registry is RAXE_MODELS_DIR, or RAXE_MODELS_URL. A metadata file that is wrong is named on stderr. Exit code: 0,
    or 2 for an error.
    """
    with reported():
        registry = _registry()
    for error in registry.errors.values():
        typer.echo(f"warning: {error}", err=True)
    if registry.stale:
        typer.echo(f"warning: {registry.stale.error}; this is what the bucket said last", err=True)
    found = registry.list_models()
    if as_json:
        typer.echo(json.dumps([_body(model) for model in found]))
    elif found:
        made = table(["id", "version", "status"], ["size MB", "p95 ms", "recall", "FPR", "AUROC"])
        for model in found:
            made.add_row(model.model_id, model.version, model.status.value, *_figures(model))
        show(made)
    else:
        typer.echo("no models")


@app.command(epilog=examples("raxe models info ID", "raxe models info ID --json"))
def info(
    model_id: ModelId,
    as_json: AsJson = False,
) -> None:
    """Show the metadata of one model. Exit code: 0, or 2 for an error."""
    with reported():
        model = _registry().get_model(model_id)
    if as_json:
        typer.echo(json.dumps(_body(model)))
        return
    pairs: list[tuple[str, object]] = []
    for name, value in _body(model).items():
        if isinstance(value, dict):
            pairs += [(f"{name}.{key}", _words(part)) for key, part in value.items()]
        else:
            pairs.append((name, _words(value)))
    show(facts(pairs))


@app.command(epilog=examples("raxe models migrate models/metadata/old.json"))
def migrate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A v1 metadata file.")], as_json: AsJson = False
) -> None:
    """Rewrite a v1 metadata file as schema 2.0.

    Checksums and missing parts come from the model's files. Exit code: 0, or 2 for an error, which leaves the file as
    it was.
    """
    with reported():
        store = LocalBundleStore(from_environment().models_dir)
        made = migrate_metadata(read_document(file), file.name, store.path)
        save_metadata(file, made.metadata)
    if as_json:
        typer.echo(json.dumps({"file": str(file), "metadata": _body(made.metadata), "dropped": made.dropped}))
        return
    for field in made.dropped:
        typer.echo(f"dropped: {field}")
    typer.echo(f"{file.name}: {made.metadata.model_id} is of schema 2.0, {made.metadata.status.value}")


@app.command(epilog=examples("raxe models schema > docs/metadata.schema.json"))
def schema() -> None:
    """Print the JSON Schema of metadata 2.0. Exit code: 0."""
    typer.echo(json_schema(), nl=False)


@app.command(epilog=examples("raxe models template > docs/metadata.template.jsonc"))
def template() -> None:
    """Print metadata with a comment above each field. Exit code: 0."""
    typer.echo(metadata_template(), nl=False)


def _registry() -> ModelRegistry:
    return ModelRegistry()


def _body(model: Metadata) -> dict[str, object]:
    return model.model_dump(mode="json", exclude_none=True)


def _figures(model: Metadata) -> list[str]:
    speed, quality = model.performance, model.accuracy
    shares = (quality.recall, quality.fpr, quality.auroc) if quality else ()
    return [
        f"{model.file_info.size_mb:.1f}",
        f"{speed.latency_p95_ms:.2f}" if speed else "-",
        *([f"{share:.4f}" for share in shares] or ["-"] * 3),
    ]


def _words(value: object) -> str:
    return ", ".join(str(part) for part in value) or "-" if isinstance(value, list) else str(value)
