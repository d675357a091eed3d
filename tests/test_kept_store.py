"""A bucket that does not answer: the last good catalog stands in for it, marked, and checksums hold as ever."""

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raxe.adapters import KeptStore
from raxe.api.observability import logger
from raxe.bootstrap import Engine, ModelRegistry, build_engine, process_engine
from raxe.cli import app
from raxe.errors import ModelNotFound, StoreDenied, StoreError, StoreUnavailable
from raxe.registry import Outcome
from raxe.settings import Settings
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder
from tests.fakes import FakeStore
from tests.handlers import scan_handler_of
from tests.s3 import bad_server, bucket_store, new_bucket

DOWN = StoreUnavailable("a.json: S3 answered 503")
OBJECTS = {"a.json": b"1", "metadata/b.json": b"2", "metadata/c.json": b"3"}


@pytest.fixture
def store() -> FakeStore:
    """What is kept."""
    return FakeStore(dict(OBJECTS))


@pytest.fixture
def kept(store: FakeStore, tmp_path: Path) -> Callable[[], KeptStore]:
    """A process that starts over what the last one kept."""
    return lambda: KeptStore(store, tmp_path / "kept")


class TestStore:
    """What is kept and when it answers."""

    def test_the_last_answers_stand_in_while_the_store_fails(
        self, kept: Callable[[], KeptStore], store: FakeStore
    ) -> None:
        """Documents, listings, and that there is no such document: all as the store said it last."""
        first = kept()
        answers = [first.read("a.json"), first.entries("metadata"), first.entries("none")]
        with pytest.raises(ModelNotFound):
            first.read("config.yaml")
        store.failing = DOWN
        second = kept()
        assert [second.read("a.json"), second.entries("metadata"), second.entries("none")] == answers
        with pytest.raises(ModelNotFound):
            second.read("config.yaml")
        assert set(second.stale) == {"a.json", "metadata/", "none/", "config.yaml"}
        assert {each.error for each in second.stale.values()} == {DOWN}
        assert first.stale == {}

    @pytest.mark.parametrize("error", [DOWN, StoreDenied("a.json: S3 answered 403")])
    def test_what_was_never_read_is_the_store_s_error(self, kept: Callable[[], KeptStore], error: StoreError) -> None:
        """Nothing is made up."""
        empty = kept()
        empty._store.failing = error  # type: ignore[attr-defined]
        for method in (empty.read, empty.entries, empty.stat):
            with pytest.raises(type(error)):
                method("a.json")
        assert empty.stale == {}

    def test_the_store_comes_first_as_soon_as_it_answers(self, kept: Callable[[], KeptStore], store: FakeStore) -> None:
        """A document that changed meanwhile is the new one, and nothing is marked any more."""
        second = kept()
        second.read("a.json")
        store.failing = DOWN
        second.read("a.json")
        store.failing, store.objects["a.json"] = None, b"changed"
        found = second.read("a.json")
        assert found
        assert (found[0], second.stale) == (b"changed", {})

    def test_an_unchanged_document_is_not_transferred_again(
        self, kept: Callable[[], KeptStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next start asks with the ETag of what is kept."""
        etag = (kept().read("a.json") or (b"", ""))[1]
        asked: list[str | None] = []

        def unchanged(_: FakeStore, __: str, unless: str | None = None) -> None:
            asked.append(unless)

        monkeypatch.setattr(FakeStore, "read", unchanged)
        assert kept().read("a.json") == (b"1", etag)
        assert kept().read("a.json", etag) is None
        assert asked == [etag, etag]

    def test_after_one_failure_the_other_documents_are_not_waited_for(
        self, kept: Callable[[], KeptStore], store: FakeStore
    ) -> None:
        """A start reads several; each would wait for the timeouts. The one that failed is asked for again."""
        first = kept()
        for key in ("a.json", "metadata/b.json"):
            first.read(key)
        first.entries("metadata")
        store.failing = DOWN
        store.calls.clear()
        second = kept()
        second.read("a.json")
        second.entries("metadata")
        second.read("metadata/b.json")
        second.read("a.json")
        assert store.calls == [("read", "a.json")] * 2
        second.ask_again()
        assert second.stale == {}
        second.entries("metadata")
        assert store.calls[2:] == [("entries", "metadata")]

    @pytest.mark.parametrize("damage", [b"", b"{}", b"half", b'{"key": "a.json", "etag": "x", "sha256": "0"}\n1'])
    def test_a_damaged_kept_document_is_none(
        self, kept: Callable[[], KeptStore], store: FakeStore, tmp_path: Path, damage: bytes
    ) -> None:
        """It is read from the store again, and while that fails it is not used."""
        kept().read("a.json")
        (path,) = (tmp_path / "kept").iterdir()
        path.write_bytes(damage)
        store.failing = DOWN
        with pytest.raises(StoreUnavailable):
            kept().read("a.json")
        store.failing = None
        assert kept().read("a.json", None) is not None

    def test_what_left_the_listing_is_not_kept(
        self, kept: Callable[[], KeptStore], store: FakeStore, tmp_path: Path
    ) -> None:
        """The folder does not grow with every model that ever was."""
        first = kept()
        for entry in first.entries("metadata"):
            first.read(entry.key)
        before = len(list((tmp_path / "kept").iterdir()))
        del store.objects["metadata/c.json"]
        kept().entries("metadata")
        assert len(list((tmp_path / "kept").iterdir())) == before - 1

    def test_a_disk_that_takes_nothing_does_not_stop_a_start(
        self, kept: Callable[[], KeptStore], tmp_path: Path
    ) -> None:
        """The store's answer is given, only not kept."""
        (tmp_path / "kept").write_text("a file where the folder should be")
        assert kept().read("a.json")
        assert len(kept().entries("metadata")) == 2


@pytest.fixture
def bucket(models: ModelsFolder, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a start from a bucket with the tiny model, which a start has read before."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    name = new_bucket(s3_endpoint)
    for path in models.root.rglob("*.*"):
        bucket_store(s3_endpoint, name).write(path.relative_to(models.root).as_posix(), path, None)
    return replace(models.settings, models_url=f"s3://{name}/some/prefix", cache_dir=tmp_path / "cache")


class TestStart:
    """A start while S3 is down."""

    def test_serves_the_same_model_and_says_so(self, bucket: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """It loads from the cache; the choice tells what happened and the start logs it as a warning."""
        before = build_engine(bucket)
        with bad_server(503) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
            engine = build_engine(replace(bucket, onnx_max_batch_size=2))  # not the model that is loaded already
        assert engine.cause is None
        assert engine.model_info == before.model_info
        assert engine.scan_text(f"a {ZORKMID}").is_attack
        step = engine.choice.steps[0]
        assert (step.source, step.outcome) == ("store", Outcome.FAILED)
        assert "StoreUnavailable: index.json: S3 answered 503; what it said at 20" in step.reason
        assert before.choice.steps[0].source != "store"

    def test_logs_that_it_is_stale(self, bucket: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """One warning, with every step."""
        build_engine(bucket)
        with bad_server(503) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
            engine = build_engine(bucket)
        lines = _start_lines(engine)
        assert [(line["level"], line["message"]) for line in lines] == [("WARNING", "model selected")]
        assert "S3 answered 503" in lines[0]["steps"][0]["reason"]

    def test_is_told_by_the_command_line(self, bucket: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        """A list of kept models comes with a warning on stderr, and succeeds."""
        build_engine(bucket)
        with bad_server(503) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
            monkeypatch.setenv("RAXE_MODELS_URL", str(bucket.models_url))
            monkeypatch.setenv("RAXE_CACHE_DIR", str(bucket.cache_dir))
            done = CliRunner().invoke(app, ["models", "list", "--json"])
        assert (done.exit_code, [each["model_id"] for each in json.loads(done.stdout)]) == (0, [MODEL_ID])
        assert "S3 answered 503; this is what the bucket said last" in done.stderr

    def test_never_uses_a_damaged_file(self, bucket: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Checksums hold: with a cached file that is not the one of the metadata, the rules go on alone."""
        build_engine(bucket)
        for path in (tmp_path / "cache" / "sha256").iterdir():
            path.write_bytes(b"damaged")
        with bad_server(503) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
            engine = build_engine(replace(bucket, onnx_max_batch_size=2))
        assert (engine.broken, engine.model_info) == ("StoreUnavailable", None)

    def test_without_what_was_kept_the_rules_go_on_alone(
        self, bucket: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """As before; a start that is snapshotted fails instead, so that no copy is without a model."""
        build_engine(bucket)
        shutil.rmtree(tmp_path / "cache")
        with bad_server(503) as endpoint:
            environment = {
                "AWS_ENDPOINT_URL_S3": endpoint, "RAXE_MODELS_URL": str(bucket.models_url),
                "RAXE_CACHE_DIR": str(tmp_path / "cache"), "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
            }  # fmt: skip
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            assert build_engine(bucket).broken == "StoreUnavailable"
            process_engine.cache_clear()
            with pytest.raises(StoreUnavailable):
                process_engine()

    def test_reload_tells_that_the_store_fails_and_recovers(
        self, bucket: Settings, monkeypatch: pytest.MonkeyPatch, s3_endpoint: str
    ) -> None:
        """The kept catalog is no answer to a reload; once the store answers it is not stale any more."""
        ModelRegistry(settings=bucket)
        with bad_server(503) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
            registry = ModelRegistry(settings=bucket)
            assert registry.stale
            assert registry.stale.since == registry.answered_at
            with pytest.raises(StoreUnavailable):
                registry.reload()
        assert [model.model_id for model in registry.list_models()] == [MODEL_ID]
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
        again = ModelRegistry(settings=bucket)
        assert (again.stale, again.reload()) == (None, ())


def _start_lines(engine: Engine) -> list[dict[str, Any]]:
    """What a function logs at its start."""
    logs = io.StringIO()
    stream = logger.registered_handler.setStream(logs)  # type: ignore[attr-defined]
    try:
        scan_handler_of(engine)
    finally:
        logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]
    return [json.loads(line) for line in logs.getvalue().splitlines()]
