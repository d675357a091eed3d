"""Publishing: by digest, once, visible at the end, and nobody undoes what another did."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from raxe.adapters import LocalBundleStore
from raxe.bootstrap import ModelRegistry
from raxe.errors import InvalidBundle, ModelConflict, StoreUnavailable
from raxe.protocols import BundleStore
from raxe.registry import Metadata, ModelFiles, publish, read_catalog
from tests.factories import FILES, MODEL_ID, ModelsFolder, encoder_onnx, metadata_of
from tests.fakes import FakeStore
from tests.s3 import bucket_store

TARGETS: dict[str, Callable[[Path, str], BundleStore]] = {
    "local": lambda folder, _: LocalBundleStore(folder / "target"),
    "s3": lambda _, endpoint: bucket_store(endpoint),
}


@pytest.fixture(params=TARGETS)
def target(request: pytest.FixtureRequest, tmp_path: Path, s3_endpoint: str) -> BundleStore:
    """Each store, empty."""
    return TARGETS[request.param](tmp_path, s3_endpoint)


def variant(models: ModelsFolder, model_id: str = MODEL_ID, **changed: object) -> Metadata:
    """Metadata of a variant over the tiny model's files."""
    document = metadata_of(models) | {"model_id": model_id, **changed}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    return Metadata.model_validate_json(json.dumps(document))


def send(models: ModelsFolder, target: BundleStore, model: Metadata) -> Metadata:
    """Publishes a model of the folder."""
    cache = models.root.parent / "cache"
    return publish(model, ModelFiles(LocalBundleStore(models.root), cache), target, ModelFiles(target, cache))


def listed(target: BundleStore, cache: Path) -> dict[str, str]:
    """Status by id of what a reader finds."""
    return {name: model.status.value for name, model in read_catalog(target, ModelFiles(target, cache)).models.items()}


def test_a_published_model_serves_and_shared_files_are_stored_once(
    models: ModelsFolder, target: BundleStore, tmp_path: Path
) -> None:
    """Two variants over the same files are four objects, and either loads from the store."""
    for name in ("first", "second"):
        send(models, target, variant(models, name))
    assert len(target.entries("objects/sha256")) == len(FILES)
    registry = ModelRegistry(target, settings=replace(models.settings, cache_dir=tmp_path / "other"))
    assert registry.validate_model("second").passed
    assert registry.create_detector("first").model_info.model_id == "first"


def test_of_publishers_at_once_none_is_lost(models: ModelsFolder, target: BundleStore, tmp_path: Path) -> None:
    """Six publishers into an empty store, and all six models are there."""
    names = [f"model-{number}" for number in range(6)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda name: send(models, target, variant(models, name)), names))
    assert sorted(listed(target, tmp_path / "cache")) == names


def test_the_same_again_changes_nothing_and_other_metadata_replaces(
    models: ModelsFolder, target: BundleStore, tmp_path: Path
) -> None:
    """Files are not uploaded twice; a new status is."""
    send(models, target, variant(models))
    before = [*target.entries("objects/sha256"), target.stat("index.json")]
    send(models, target, variant(models))
    assert [*target.entries("objects/sha256"), target.stat("index.json")] == before
    send(models, target, variant(models, status="deprecated"))
    assert target.entries("objects/sha256") == before[:-1]
    assert listed(target, tmp_path / "cache") == {MODEL_ID: "deprecated"}


def test_other_files_under_the_same_id_are_refused(models: ModelsFolder, target: BundleStore, tmp_path: Path) -> None:
    """Nothing of them is uploaded, and the first model stays."""
    send(models, target, variant(models))
    before = [*target.entries("objects/sha256"), target.stat("index.json"), *target.entries("metadata")]
    models.replace("embeddings", encoder_onnx() + b"\0")
    with pytest.raises(ModelConflict, match=MODEL_ID):
        send(models, target, variant(models, status="deprecated"))
    assert [*target.entries("objects/sha256"), target.stat("index.json"), *target.entries("metadata")] == before
    assert listed(target, tmp_path / "cache") == {MODEL_ID: "active"}


def test_the_first_publication_takes_what_lies_there(models: ModelsFolder, target: BundleStore, tmp_path: Path) -> None:
    """Models that were dropped by hand are in the index afterwards."""
    for path in models.root.rglob("*.*"):
        target.write(path.relative_to(models.root).as_posix(), path, None)
    send(models, target, variant(models, "second"))
    assert listed(target, tmp_path / "cache") == {MODEL_ID: "active", "second": "active"}


def test_a_file_that_is_not_the_metadata_s_stops_it(models: ModelsFolder, tmp_path: Path) -> None:
    """The model does not appear."""
    target = FakeStore()
    model = variant(models)
    models.path("tokenizer").write_text("{}")
    with pytest.raises(InvalidBundle):
        send(models, target, model)
    assert listed(target, tmp_path / "cache") == {}


def test_a_store_that_fails_midway_shows_nothing(models: ModelsFolder, tmp_path: Path) -> None:
    """Before the index is written, readers see the store as it was; the next try finishes."""

    class Failing(FakeStore):
        """A store that refuses the second writing of the index."""

        def write(self, key: str, content: bytes | Path, match: str | None) -> str:
            """Writes."""
            if key == "index.json" and match and self.failing_index:
                raise StoreUnavailable(key)
            return super().write(key, content, match)

        failing_index = True

    target = Failing()
    send(models, target, variant(models, "first"))
    with pytest.raises(StoreUnavailable):
        send(models, target, variant(models, "second"))
    assert list(listed(target, tmp_path / "cache")) == ["first"]
    target.failing_index = False
    send(models, target, variant(models, "second"))
    assert sorted(listed(target, tmp_path / "cache")) == ["first", "second"]


def test_a_catalog_with_an_index_is_one_call(models: ModelsFolder, tmp_path: Path) -> None:
    """However many models there are; a reload without a change is one call that reads nothing."""
    target = FakeStore()
    for number in range(5):
        send(models, target, variant(models, f"model-{number}"))
    target.calls.clear()
    registry = ModelRegistry(target, settings=replace(models.settings, cache_dir=tmp_path / "other"))
    registry.reload()
    assert target.calls == [("read", "index.json")] * 2
    assert len(registry.list_models()) == 5


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"schema": "other"}', b'{"schema": "raxe.index/1", "models": 1}'])
def test_a_damaged_index_hides_no_model(models: ModelsFolder, data: bytes) -> None:
    """It stands in the errors, and the folders are looked through."""
    (models.root / "index.json").write_bytes(data)
    registry = ModelRegistry(settings=models.settings)
    assert list(registry.errors) == ["index.json"]
    assert [model.model_id for model in registry.list_models()] == [MODEL_ID]


def test_a_broken_entry_of_the_index_hides_no_other(models: ModelsFolder) -> None:
    """It stands in the errors by its id."""
    index = {"schema": "raxe.index/1", "models": {"bad": {"model_id": "bad", "ml_config": 1}}}
    index["models"][MODEL_ID] = json.loads(models.metadata.read_text())  # type: ignore[index]
    (models.root / "index.json").write_text(json.dumps(index))
    registry = ModelRegistry(settings=models.settings)
    assert list(registry.errors) == ["bad"]
    assert [model.model_id for model in registry.list_models()] == [MODEL_ID]
