"""How long discovery and loading take, and what a start from S3 asks for: ``python -m tests.bench.registry``."""

import json
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event
from raxe.adapters import LocalBundleStore
from raxe.bootstrap import ModelRegistry
from raxe.registry import ModelFiles, publish
from tests.factories import ModelsFolder, metadata_of, write_models
from tests.s3 import Requests, bucket_store, moto_server, new_bucket

BUDGET_MS = 100
RUNS = 9


def milliseconds(what: Callable[[], object]) -> float:
    """The time of one call."""
    started = time.perf_counter()
    what()
    return (time.perf_counter() - started) * 1000


def folder_of(root: Path, count: int) -> ModelsFolder:
    """A folder with so many variants over one set of files."""
    models = write_models(root)
    document = metadata_of(models)
    document["file_info"]["bundle_model_id"] = document["model_id"]
    for number in range(count - 1):
        text = json.dumps(document | {"model_id": f"variant-{number:03}"})
        models.metadata.with_name(f"variant-{number:03}.json").write_text(text)
    return models


def local(root: Path, count: int) -> None:
    """Prints the time of ``ModelRegistry()`` and of cold and kept detectors over a folder."""
    settings = folder_of(root, count).settings
    times = [milliseconds(lambda: ModelRegistry(settings=settings)) for _ in range(RUNS)]
    registry = ModelRegistry(settings=settings)
    cold, kept = (milliseconds(registry.create_detector) for _ in range(2))
    print(
        f"{count:4} local models: {statistics.median(times):6.1f} ms median, {max(times):6.1f} worst of {RUNS}; ",
        end="",
    )
    print(f"budget {BUDGET_MS} ms; create_detector cold {cold:.1f} ms, kept {kept:.3f} ms")


def from_s3(root: Path, endpoint: str, count: int, *, indexed: bool) -> None:
    """Prints the calls of a start from a bucket with an empty cache, one with a full cache, and a reload."""
    models = folder_of(root / "models", count)
    source, bucket = LocalBundleStore(models.root), bucket_store(endpoint, new_bucket(endpoint))
    files = ModelFiles(source, root / "cache")
    for path in [] if indexed else models.root.rglob("*.*"):
        bucket.write(path.relative_to(models.root).as_posix(), path, None)
    for model in ModelRegistry(source, settings=models.settings).list_models() if indexed else []:
        publish(model, files, bucket, ModelFiles(bucket, root / "cache"))
    calls: Counter[str] = Counter()
    bucket._client.meta.events.register("before-call.s3", lambda model, **_: calls.update([model.name]))
    print(f"{count:4} models in a bucket, {'with' if indexed else 'without'} an index (pages of 2):")
    registry: list[ModelRegistry] = []
    steps: dict[str, Callable[[], object]] = {
        "ModelRegistry()": lambda: registry.append(
            ModelRegistry(bucket, settings=replace(models.settings, cache_dir=root / "new"))
        ),
        "create_detector, empty cache": lambda: registry[0].create_detector().model_info,
        "reload, nothing changed": lambda: (registry[0].reload(),),
    }
    for name, step in steps.items():
        calls.clear()
        took = milliseconds(step)
        print(f"     {name:30} {took:7.1f} ms  {dict(calls)}")


def functions(root: Path) -> None:
    """Prints what cold starts of the functions under the Lambda emulator ask a bucket for, with and without a cache."""
    requests: Requests = []
    with moto_server(requests) as endpoint:
        models, name = write_models(root / "models"), new_bucket(endpoint)
        bucket, files = bucket_store(endpoint, name), ModelFiles(LocalBundleStore(models.root), root / "none")
        for model in ModelRegistry(settings=models.settings).list_models():
            publish(model, files, bucket, ModelFiles(bucket, root / "publisher"))
        env = local_environment() | {
            "MODEL_SOURCE": "s3", "RAXE_MODELS_URL": f"s3://{name}/some/prefix", "RAXE_CACHE_DIR": str(root / "cache"),
            "AWS_ENDPOINT_URL_S3": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        }  # fmt: skip
        options = EmulatorOptions(python_path=(ROOT / "shared",), env=env)
        for function, event in (("registry", "models_list"), ("registry", "models_status"), ("scan", "scan")):
            for cache in ("empty", "kept"):
                if cache == "empty":
                    shutil.rmtree(root / "cache", ignore_errors=True)
                requests.clear()
                with LambdaEmulator(ROOT / "functions" / function, options) as emulator:
                    emulator.invoke(load_event(event))
                    cold = len(requests)
                    emulator.invoke(load_event(event))
                answers = dict(Counter(line[-3:] for line in requests[:cold]))
                print(f"{function:8} {event:13} cache {cache:5}: {cold} calls {answers}, ", end="")
                print(f"{len(requests) - cold} at the next request; init {emulator.init_ms:.0f} ms, ", end="")
                print(f"answer {emulator.invoke_ms[0]:.0f} ms, next {emulator.invoke_ms[-1]:.1f} ms")


def main() -> None:
    """Prints all figures."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_EC2_METADATA_DISABLED")
    os.environ.update(zip(names, ("testing", "testing", "eu-west-1", "true"), strict=True))
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, moto_server() as endpoint:
        root = Path(folder)
        for count in (2, 200):
            local(root / f"local-{count}", count)
        for count in (2, 20):
            from_s3(root / f"indexed-{count}", endpoint, count, indexed=True)
        from_s3(root / "plain", endpoint, 2, indexed=False)
        functions(root / "functions")


if __name__ == "__main__":
    main()
