"""The rollout document in the real loop: the scan function under the emulator, SSM on a moto server, and threads."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event
from raxe.adapters.ssm import SsmRolloutStore
from raxe.rollout import Rollout, dump_rollout
from tests.factories import ModelsFolder
from tests.rollouts import HALF, SECOND, two_models
from tests.ssm import new_name, parameter_store

pytestmark = pytest.mark.usefixtures("_needs_emulator")
DEADLINE_S = 120.0


def put(store: SsmRolloutStore, rollout: Rollout) -> None:
    """Writes another version."""
    store.write(dump_rollout(rollout), len(store.history()), "set")


def answers(emulator: LambdaEmulator, subject: str) -> dict[str, Any]:
    """What the function answers for a subject."""
    event = load_event("scan_subject")
    event["body"] = json.dumps({"text": "hello", "subject": subject})
    body: dict[str, Any] = json.loads(emulator.invoke(event)["body"])
    return body


def until(holds: Callable[[], bool]) -> None:
    """Invokes until it holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.2)


def test_a_change_reaches_a_warm_function(ssm_endpoint: str, models: ModelsFolder, tmp_path: Path) -> None:
    """Canary, kill switch, a broken document: each is in force without a start, the broken one never."""
    name = new_name()
    store = parameter_store(ssm_endpoint, name)
    put(store, HALF)
    env = {
        **local_environment(), "RAXE_MODELS_DIR": str(two_models(models, tmp_path / "unused").models.root),
        "RAXE_ROLLOUT": f"ssm:{name}", "RAXE_ROLLOUT_TTL": "1", "AWS_ENDPOINT_URL_SSM": ssm_endpoint,
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1",
    }  # fmt: skip
    options = EmulatorOptions(python_path=(ROOT / "shared",), env=env)
    with LambdaEmulator(ROOT / "functions" / "scan", options) as emulator:
        until(lambda: answers(emulator, "x").get("rollout", {}).get("version") == 1)  # a busy SSM may fail the start
        arms = {f"customer-{n}": answers(emulator, f"customer-{n}")["model"]["arm"] for n in range(12)}
        assert arms == {subject: HALF.arm_of(subject) for subject in arms}
        assert set(arms.values()) == {"champion", "challenger"}
        put(store, replace(HALF, champion=SECOND, challenger=None))
        until(lambda: answers(emulator, "x")["rollout"]["version"] == 2)
        assert {answers(emulator, subject)["model"]["id"] for subject in arms} == {SECOND}
        put(store, Rollout(l2=False))
        until(lambda: answers(emulator, "x")["model"] is None)
        assert store.write(b'{"l2": "broken"}', 3, "by mistake") == 4
        until(lambda: "InvalidRollout" in (answers(emulator, "x") and emulator.function_logs))
        body = answers(emulator, "x")
        assert (body["rollout"]["version"], body["failures"]) == (3, [])
    assert '"RolloutFallback"' in emulator.function_logs
