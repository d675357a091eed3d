"""A start while its bucket does not answer: the last good catalog stands in, marked, and checksums hold as ever."""

import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from raxe.api.observability import logger
from raxe.bootstrap import Engine, ModelRegistry, build_engine, process_engine
from raxe.cli import app
from raxe.errors import StoreUnavailable
from raxe.registry import Outcome
from raxe.settings import Settings
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder
from tests.handlers import scan_handler_of
from tests.s3 import bad_server, bucket_store, new_bucket


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
