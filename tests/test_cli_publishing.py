"""``raxe models publish | pull | promote | rollback`` over a bucket: verified, kept, and nobody's move is lost."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from raxe.adapters.s3 import S3BundleStore
from raxe.bootstrap import ModelRegistry, pick
from raxe.cli import app
from raxe.errors import InvalidMetadata, ModelConflict
from raxe.registry import ModelFiles, promote, publish, roll_back
from raxe.registry.index import parse_index
from tests.factories import MODEL_ID, ModelsFolder, metadata_of
from tests.fakes import FakeStore
from tests.s3 import bucket_store, new_bucket

AT = "2025-11-20T10:00:00+00:00"


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty place in a bucket, as the command line takes it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    return f"s3://{new_bucket(s3_endpoint)}/some/prefix"


def raxe(models: ModelsFolder, *arguments: str, **variables: str) -> Result:
    """What ``raxe models`` does with the folder."""
    cache = str(models.root.parent / "cache")
    env = {"RAXE_MODELS_DIR": str(models.root), "RAXE_CACHE_DIR": cache, "COLUMNS": "80", **variables}
    return CliRunner().invoke(app, ["models", *arguments], env=env)


def add(models: ModelsFolder, model_id: str) -> None:
    """Drops metadata of a variant that shares all files of the tiny model."""
    document = metadata_of(models) | {"model_id": model_id}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name(f"{model_id}.json").write_text(json.dumps(document))


def store_of(bucket: str, endpoint: str) -> S3BundleStore:
    """The store at the address."""
    return bucket_store(endpoint, bucket.removeprefix("s3://").partition("/")[0])


@pytest.mark.parametrize("command", ["publish", "pull", "promote", "rollback"])
def test_help_has_examples(models: ModelsFolder, command: str) -> None:
    """Each help text has examples, says what exit codes mean, and fits 80 columns."""
    result = raxe(models, command, "--help")
    assert "Examples:\n    " in result.stdout
    assert "Exit code: 0" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_a_model_goes_into_a_bucket_and_comes_out_of_it(models: ModelsFolder, bucket: str, tmp_path: Path) -> None:
    """Pulled into an empty folder it passes every check; pulled again, or where it came from, no file changes."""
    assert raxe(models, "publish", MODEL_ID, "--to", bucket).exit_code == 0
    other = ModelsFolder(tmp_path / "other")
    for folder in (other, other, models):
        before = files_of(folder)
        result = raxe(folder, "pull", MODEL_ID, "--from", bucket, "--json")
        assert (result.exit_code, json.loads(result.stdout)["model_id"]) == (0, MODEL_ID)
        assert not before or files_of(folder) == before
        assert raxe(folder, "validate", MODEL_ID).exit_code == 0
    assert not (other.root / "index.json").exists()


def test_what_does_not_hold_is_not_pulled(models: ModelsFolder, bucket: str, s3_endpoint: str, tmp_path: Path) -> None:
    """A changed object in the bucket, and a model of the same id with other files, write nothing."""
    raxe(models, "publish", MODEL_ID, "--to", bucket)
    mine = ModelsFolder(tmp_path / "mine")
    raxe(mine, "pull", MODEL_ID, "--from", bucket)
    models.replace("golden", models.path("golden").read_bytes() + b"\n")
    before = files_of(models)
    result = raxe(models, "pull", MODEL_ID, "--from", bucket)
    assert (result.exit_code, "other files" in result.stderr, files_of(models)) == (2, True, before)
    store = store_of(bucket, s3_endpoint)
    entry = store.entries("objects/sha256")[0]
    store.write(entry.key, b"other bytes", entry.etag)
    empty = ModelsFolder(tmp_path / "empty")
    result = raxe(empty, "pull", MODEL_ID, "--from", bucket, RAXE_CACHE_DIR=str(tmp_path / "fresh"))
    assert (result.exit_code, "checksum" in result.stderr, empty.root.exists()) == (2, True, False)


def test_an_alias_moves_back_and_keeps_its_history(models: ModelsFolder, bucket: str) -> None:
    """Each rollback goes one further back, until there is nothing before; publishing leaves aliases alone."""
    names = ["first", "second", "third"]
    for name in names:
        add(models, name)
        assert raxe(models, "publish", name, "--to", bucket, "--promote", "champion").exit_code == 0
    ends = [raxe(models, "rollback", "--alias", "champion", "--in", bucket) for _ in names]
    assert [end.stdout for end in ends] == ["champion -> second\n", "champion -> first\n", ""]
    assert (ends[-1].exit_code, ends[-1].stderr) == (2, "error: champion: has no model before first\n")
    body = json.loads(raxe(models, "promote", "third", "--as", "champion", "--in", bucket, "--json").stdout)
    assert [move["model_id"] for move in body["history"]] == [*names, "second", "first", "third"]
    again = json.loads(raxe(models, "promote", "third", "--as", "champion", "--json", RAXE_MODELS_URL=bucket).stdout)
    assert again == body


def test_an_alias_serves_in_the_place_of_an_id(models: ModelsFolder, bucket: str, tmp_path: Path) -> None:
    """The variable takes it, and which model that is moves with it."""
    served = []
    for name in ("first", "second"):
        add(models, name)
        raxe(models, "publish", name, "--to", bucket, "--promote", "champion")
        settings = replace(models.settings, models_url=bucket, cache_dir=tmp_path / "cache", l2_model="champion")
        served.append(pick(settings)[1])
    assert [choice.model.model_id for choice in served if choice.model] == ["first", "second"]
    assert served[0].steps[0].reason == "named by an alias"


def test_of_moves_at_once_none_is_lost(models: ModelsFolder, bucket: str, s3_endpoint: str) -> None:
    """Six aliases and a publication at once: every one is in the index afterwards."""
    raxe(models, "publish", MODEL_ID, "--to", bucket)
    store, names = store_of(bucket, s3_endpoint), [f"alias-{number}" for number in range(6)]
    add(models, "second")
    registry = ModelRegistry(settings=models.settings)
    files = ModelFiles(store, models.root.parent / "cache")
    with ThreadPoolExecutor(len(names) + 1) as pool:
        other = pool.submit(publish, registry.get_model("second"), registry.files, store, files)
        list(pool.map(lambda name: promote(store, MODEL_ID, name, AT), names))
        other.result()
    found = store.read("index.json")
    assert found is not None
    index = parse_index(found[0])
    assert (sorted(index.aliases), sorted(index.models)) == (names, ["second", MODEL_ID])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["promote", "nobody", "--as", "champion"], "no published model 'nobody'"),
        (["promote", MODEL_ID, "--as", "Bad Name"], "alias: must be"),
        (["promote", MODEL_ID, "--as", MODEL_ID], "is the id of a model"),
        (["rollback", "--alias", "champion"], "no alias 'champion'; there are: none"),
        (["promote", MODEL_ID, "--as", "champion", "--in", "ftp://x"], "must be s3://bucket"),
    ],
)
def test_a_wrong_move_writes_nothing(models: ModelsFolder, tmp_path: Path, arguments: list[str], words: str) -> None:
    """It says what is wrong, with exit code 2."""
    place = tmp_path / "published"
    raxe(models, "publish", MODEL_ID, "--to", str(place))
    before = (place / "index.json").read_bytes()
    where = [] if "--in" in arguments else ["--in", str(place)]
    result = raxe(models, *arguments, *where)
    assert (result.exit_code, words in result.stderr) == (2, True)
    assert (place / "index.json").read_bytes() == before


def test_a_store_without_index_has_no_aliases(models: ModelsFolder) -> None:
    """The message says to publish first, and no index is written."""
    result = raxe(models, "promote", MODEL_ID, "--as", "champion")
    assert (result.exit_code, result.stderr) == (2, "error: no index.json: publish a model first\n")
    assert not (models.root / "index.json").exists()


def test_no_model_takes_the_name_of_an_alias(models: ModelsFolder) -> None:
    """Publishing one is refused: a name means one thing."""
    add(models, "champion")
    registry, store = ModelRegistry(settings=models.settings), FakeStore({})
    files = ModelFiles(store, models.root.parent / "cache")
    publish(registry.get_model(MODEL_ID), registry.files, store, files)
    promote(store, MODEL_ID, "champion", AT)
    with pytest.raises(ModelConflict, match="is an alias"):
        publish(registry.get_model("champion"), registry.files, store, files)


@pytest.mark.parametrize(
    "aliases",
    [
        [],
        {"champion": {"history": []}},
        {"champion": {"history": [{"action": "rollback", "model_id": MODEL_ID, "at": AT}]}},
        {"champion": {"history": [{"action": "promote", "model_id": MODEL_ID, "at": AT}], "surprise": 1}},
    ],
)
def test_damaged_aliases_are_named_and_hide_no_model(models: ModelsFolder, aliases: object) -> None:
    """They stand in the errors, the folders are looked through, and no move is made over them."""
    index = {"schema": "raxe.index/1", "models": {MODEL_ID: metadata_of(models)}, "aliases": aliases}
    store = FakeStore({"index.json": json.dumps(index).encode()})
    with pytest.raises(InvalidMetadata, match="aliases"):
        roll_back(store, "champion", AT)
    (models.root / "index.json").write_text(json.dumps(index))
    registry = ModelRegistry(settings=models.settings)
    assert list(registry.errors) == ["index.json"]
    assert [model.model_id for model in registry.list_models()] == [MODEL_ID]


def files_of(folder: ModelsFolder) -> dict[str, bytes]:
    """Every file by its name, hidden ones, such as locks, and metadata left out."""
    found = (path for path in folder.root.rglob("*") if path.is_file() and path.parent.name != "metadata")
    return {str(path.relative_to(folder.root)): path.read_bytes() for path in found if path.name[0] != "."}
