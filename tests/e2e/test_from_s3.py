"""The functions under the Lambda emulator, their models in a bucket: what they ask it, what a bad day of it means."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.errors import FunctionFailed
from functions.local.events import ROOT, load_event, scan_event
from raxe.adapters import LocalBundleStore
from raxe.registry import ModelFiles, load_metadata, promote, publish
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder, metadata_of
from tests.s3 import Requests, bad_server, bucket_store, moto_server, new_bucket

pytestmark = pytest.mark.usefixtures("_needs_emulator", "s3_endpoint")  # the latter for credentials that are nobody's


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Requests]]:
    """An S3 and what it was asked for since it was cleared."""
    requests: Requests = []
    with moto_server(requests) as endpoint:
        yield endpoint, requests


class Bucket:
    """A bucket with the tiny model, published, and the functions over it; each start has the same cache folder."""

    def __init__(self, endpoint: str, requests: Requests, models: ModelsFolder, folder: Path) -> None:
        """Publishes the model."""
        self.endpoint, self.requests, self.models, self.folder = endpoint, requests, models, folder
        self.name = new_bucket(endpoint)
        self.store = bucket_store(endpoint, self.name)
        self.publish(models.metadata)
        promote(self.store, MODEL_ID, "champion", "2026-01-05T09:30:00+00:00")
        requests.clear()

    def publish(self, metadata: Path) -> None:
        """Publishes a model of the folder."""
        source = ModelFiles(LocalBundleStore(self.models.root), self.folder / "none")
        publish(load_metadata(metadata), source, self.store, ModelFiles(self.store, self.folder / "publisher"))

    def asked(self) -> list[str]:
        """The requests since the last time, without the bucket's name."""
        found = [line.replace(f"/{self.name}/some/prefix/", "") for line in self.requests]
        self.requests.clear()
        return found

    @contextmanager
    def function(self, name: str, endpoint: str | None = None, **more: str) -> Iterator[LambdaEmulator]:
        """A cold start of a function."""
        env = local_environment() | {
            "MODEL_SOURCE": "s3", "RAXE_MODELS_URL": f"s3://{self.name}/some/prefix", "RAXE_L2_MODEL": "champion",
            "RAXE_CACHE_DIR": str(self.folder / "cache"), "AWS_ENDPOINT_URL_S3": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "RAXE_CATALOG_TTL_S": "0", **more,
        }  # fmt: skip
        options = EmulatorOptions(python_path=(ROOT / "shared",), env=env)
        with LambdaEmulator(ROOT / "functions" / name, options) as emulator:
            yield emulator


@pytest.fixture
def bucket(s3: tuple[str, Requests], models: ModelsFolder, tmp_path: Path) -> Bucket:
    """A bucket of this test's own."""
    return Bucket(*s3, models, tmp_path)


def body(emulator: LambdaEmulator, event: str | dict[str, Any]) -> dict[str, Any]:
    """What a function answers."""
    found: dict[str, Any] = json.loads(emulator.invoke(load_event(event) if isinstance(event, str) else event)["body"])
    return found


def logged(emulator: LambdaEmulator, message: str) -> list[dict[str, Any]]:
    """The lines of a message in the function's log."""
    lines = [json.loads(line) for line in emulator.function_logs.splitlines() if line.startswith('{"level"')]
    return [line for line in lines if line["message"] == message]


def test_scan_takes_its_model_from_the_bucket(bucket: Bucket) -> None:
    """A cold start reads index, config.yaml and each file once; a scan reads nothing; a second start no file."""
    with bucket.function("scan") as scan:
        for _ in range(2):
            answer = body(scan, scan_event(f"please {ZORKMID} the door"))
            assert (answer["model"]["id"], answer["verdict"], answer["failures"]) == (MODEL_ID, "block", [])
    first = bucket.asked()
    assert [line for line in first if "objects/" not in line] == ["GET index.json 200", "GET config.yaml 404"]
    assert len(first) == len(set(first)) == 2 + 4
    with bucket.function("scan") as scan:
        assert body(scan, scan_event("a plain question"))["model"]["id"] == MODEL_ID
    assert bucket.asked() == ["GET index.json 304", "GET config.yaml 404"]


@pytest.mark.parametrize("status", [503, 403])
def test_scan_starts_while_the_bucket_fails(bucket: Bucket, status: int) -> None:
    """With what an earlier start kept the same model serves, and the log says that it is of that time."""
    with bucket.function("scan") as scan:
        body(scan, "scan")
    with bad_server(status) as endpoint, bucket.function("scan", endpoint) as scan:
        answer = body(scan, scan_event(f"please {ZORKMID} the door"))
        assert (answer["model"]["id"], answer["failures"]) == (MODEL_ID, [])
        (line,) = logged(scan, "model selected")
    assert (line["level"], line["steps"][0]["source"]) == ("WARNING", "store")


def test_scan_without_anything_kept_has_rules_only(bucket: Bucket) -> None:
    """The first start of all while the bucket fails: every verdict is at least review, and the log says why."""
    with bad_server(503) as endpoint, bucket.function("scan", endpoint) as scan:
        answer = body(scan, scan_event("a plain question"))
        assert (answer["verdict"], answer["model"]) == ("review", None)
        assert answer["failures"] == [{"stage": "l2", "error": "StoreUnavailable"}]
        assert logged(scan, "model not loaded")


def test_registry_follows_the_bucket(bucket: Bucket) -> None:
    """One read a request when it is asked each time, none of the content when nothing changed; what is new appears."""
    with bucket.function("registry") as registry:
        status = body(registry, "models_status")
        assert (status["source"], status["aliases"]) == ("s3", {"champion": MODEL_ID})
        assert status["serving"]["model_id"] == MODEL_ID
        assert status["cache"] == {"files": 0, "size_bytes": 0, "models": []}
        assert bucket.asked() == ["GET index.json 200", "GET config.yaml 404"]
        document = metadata_of(bucket.models) | {"model_id": "second"}
        document["file_info"]["bundle_model_id"] = MODEL_ID
        bucket.models.metadata.with_name("second.json").write_text(json.dumps(document))
        bucket.publish(bucket.models.metadata.with_name("second.json"))
        bucket.asked()
        assert body(registry, "models_reload")["changed"] == ["second"]
        body(registry, "models_best")
        assert bucket.asked() == ["GET index.json 200", "GET index.json 304"]
        assert body(registry, "models_reload_without_scope")["status"] == 403
        assert bucket.asked() == []


def test_registry_says_that_the_bucket_fails(bucket: Bucket) -> None:
    """Over what was kept it answers and is marked stale; a reload is 503, and nothing quotes a request."""
    with bucket.function("registry") as registry:
        body(registry, "models_status")
    with bad_server(503) as endpoint, bucket.function("registry", endpoint, RAXE_CATALOG_TTL_S="60") as registry:
        status = body(registry, "models_status")
        assert (status["catalog"]["stale"], status["catalog"]["models"]) == (True, 1)
        assert status["serving"]["steps"][0]["source"] == "store"
        assert body(registry, "models_reload")["status"] == 503
        assert logged(registry, "catalog is stale")


@pytest.mark.parametrize(
    ("more", "words"),
    [({"RAXE_MODELS_URL": ""}, "RAXE_MODELS_URL"), ({"MODEL_SOURCE": "bucket"}, "MODEL_SOURCE must be one of")],
)
@pytest.mark.parametrize("name", ["scan", "registry"])
def test_a_wrong_source_stops_the_start(bucket: Bucket, name: str, more: dict[str, str], words: str) -> None:
    """The function does not start, and the error names the variable."""
    with bucket.function(name, **more) as function, pytest.raises(FunctionFailed, match=words):
        function.invoke(load_event("models_list"))
