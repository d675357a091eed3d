"""``raxe models publish``, ``pull``, ``promote`` and ``rollback``: models and aliases of a bucket."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from raxe import registry as models
from raxe.bootstrap import ModelRegistry, cache_folder, open_place, open_store
from raxe.cli.ids import ModelId
from raxe.cli.output import examples, reported
from raxe.cli.transfer import transfers
from raxe.protocols import BundleStore
from raxe.registry import Alias, Metadata, ModelFiles
from raxe.settings import from_environment

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
In = Annotated[
    str | None, typer.Option("--in", help="s3://bucket/prefix; else that of RAXE_MODELS_URL.", show_default=False)
]
_BUCKET = "s3://my-bucket/models"


@app.command(epilog=examples(f"raxe models publish ID --to {_BUCKET} --promote champion"))
def publish(
    model_id: ModelId,
    to: Annotated[str, typer.Option(help="s3://bucket/prefix, or a folder.", show_default=False)],
    alias: Annotated[
        str | None, typer.Option("--promote", help="Then point this alias to it.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Publish a model: files by digest, metadata, index.

    Publishing it again changes nothing; other files under its id are refused. Exit code: 0, or 2 for an error.
    """
    with reported(), transfers() as shown:
        registry, target = ModelRegistry(), shown(open_place(to))
        model = models.publish(registry.get_model(model_id), registry.files, target, _files(target))
        moved = models.promote(target, model.model_id, alias, _now()) if alias else None
    _say_model(f"published {model.model_id} to {to}", model, as_json=as_json)
    if alias and moved and not as_json:
        _say_alias(alias, moved, as_json=False)


@app.command(epilog=examples(f"raxe models pull ID --from {_BUCKET}"))
def pull(
    model_id: ModelId,
    source: Annotated[str, typer.Option("--from", help="s3://bucket/prefix, or a folder.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Copy a published model into the registry.

    It is named by id or alias; the registry is RAXE_MODELS_DIR. Every file is compared with its checksum before and
    after it is written. Exit code: 0, or 2 for an error.
    """
    with reported(), transfers() as shown:
        settings = from_environment()
        there, target = ModelRegistry(shown(open_place(source)), settings=settings), shown(open_store(settings))
        model = models.pull(there.get_model(model_id), there.files, target, _files(target))
    _say_model(f"pulled {model.model_id} from {source}, checksums hold", model, as_json=as_json)


@app.command(epilog=examples(f"raxe models promote ID --as champion --in {_BUCKET}"))
def promote(
    model_id: ModelId,
    alias: Annotated[str, typer.Option("--as", help="The alias, such as champion.", show_default=False)],
    place: In = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias to a published model; its history is kept.

    RAXE_L2_MODEL and config.yaml take an alias in the place of an id. Exit code: 0, or 2 for an error.
    """
    with reported():
        moved = models.promote(_place(place), model_id, alias, _now())
    _say_alias(alias, moved, as_json=as_json)


@app.command(epilog=examples(f"raxe models rollback --alias champion --in {_BUCKET}"))
def rollback(
    alias: Annotated[str, typer.Option(help="The alias, such as champion.", show_default=False)],
    place: In = None,
    as_json: AsJson = False,
) -> None:
    """Point an alias to its last model but one again.

    That is the model before the last promotion; once more goes one further back. Exit code: 0, or 2 for an error, such
    as no model before.
    """
    with reported():
        moved = models.roll_back(_place(place), alias, _now())
    _say_alias(alias, moved, as_json=as_json)


def _place(place: str | None) -> BundleStore:
    return open_place(place) if place else open_store(from_environment())


def _files(store: BundleStore) -> ModelFiles:
    return ModelFiles(store, cache_folder(from_environment()))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _say_model(words: str, model: Metadata, *, as_json: bool) -> None:
    typer.echo(json.dumps(model.model_dump(mode="json", exclude_none=True)) if as_json else words)


def _say_alias(name: str, alias: Alias, *, as_json: bool) -> None:
    history = [move.model_dump() for move in alias.history]
    body = json.dumps({"alias": name, "model_id": alias.model_id, "history": history})
    typer.echo(body if as_json else f"{name} -> {alias.model_id}")
