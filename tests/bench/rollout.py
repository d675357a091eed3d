"""What the flag and the shadow cost: ``python -m tests.bench.rollout [SCANS]``. A moto server stands for SSM.

Calls to SSM are counted while scans run, by the tests' tiny model to be done sooner. Latencies are medians of the whole
route (body in, body out), taken in turn, so that a busy machine slows all of them alike: the ratios count.
"""

import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from functions.local.events import ROOT
from raxe.adapters.ssm import SsmRolloutStore
from raxe.api.service import ScanService
from raxe.bootstrap import Engine, build_engine
from raxe.rollout import BUCKETS, Rollout, Split, dump_rollout
from raxe.settings import Settings
from tests.factories import write_models
from tests.s3 import moto_server
from tests.ssm import new_name, parameter_store

TTL_S = 30
TIMED = 100  # scans for each latency
TEXT = "Could you tell me when the library in the old town opens on Sundays, and whether it has a reading room?"
ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1"}


def engine_of(endpoint: str, settings: Settings, rollout: Rollout) -> Engine:
    """An engine that reads the document from a new parameter."""
    name = new_name()
    parameter_store(endpoint, name).write(dump_rollout(rollout), 0, "set")
    return build_engine(replace(settings, rollout=f"ssm:{name}", rollout_ttl_s=TTL_S))


def scan(service: ScanService, number: int) -> float:
    """The milliseconds of one request, the shadow's part included."""
    body = json.dumps({"text": TEXT, "subject": f"customer-{number}"})
    started = time.perf_counter()
    service.scan(body, f"request-{number}").shadow()
    return (time.perf_counter() - started) * 1000


def calls(engine: Engine, count: int) -> None:
    """Prints the SSM calls of so many warm scans."""
    found: list[str] = []
    assert engine.rollout is not None
    store = engine.rollout._store
    assert isinstance(store, SsmRolloutStore)
    store._client.meta.events.register("before-call.ssm", lambda model, **_: found.append(model.name))
    service = ScanService(engine)
    started = time.monotonic()
    for number in range(count):
        scan(service, number)
    took_s = time.monotonic() - started
    print(
        f"{count:,} warm scans in {took_s:.0f} s, time to live {TTL_S} s: {len(found)} SSM calls {sorted(set(found))}"
    )


def latencies(services: Mapping[str, ScanService]) -> None:
    """Prints the median of each, and its ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in services}
    for number in range(TIMED):
        for name, service in services.items():
            times[name].append(scan(service, number))
    first = statistics.median(next(iter(times.values())))
    for name, each in times.items():
        median = statistics.median(each)
        print(f"{name:24} {median:7.3f} ms median, {median / first:5.2f} x, {median - first:+7.3f} ms")


SETTINGS = Settings(models_dir=ROOT / "models")

if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with moto_server() as address:
        os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL_SSM=address)
        plain = build_engine(SETTINGS)
        assert plain.model_info is not None
        model = plain.model_info.model_id
        flag = engine_of(address, SETTINGS, Rollout(champion=model))
        shadow = engine_of(address, SETTINGS, Rollout(champion=model, shadow=Split(model, BUCKETS)))
        tenth = engine_of(address, SETTINGS, Rollout(champion=model, shadow=Split(model, BUCKETS // 10)))
        latencies(
            {
                "no document": ScanService(plain),
                "flag": ScanService(flag),
                "flag, shadow 10 %": ScanService(tenth),
                "flag, shadow 100 %": ScanService(shadow),
            }
        )
        with tempfile.TemporaryDirectory() as folder:
            tiny = write_models(Path(folder) / "models").settings
            calls(engine_of(address, tiny, Rollout()), int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
