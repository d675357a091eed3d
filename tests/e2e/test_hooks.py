"""The functions of a deployment as they run: hooks under the emulator, the scan function under another."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event
from raxe.release.golden import ATTACKS, BENIGN
from tests.aws import ARN, FakeAws, fake_aws
from tests.e2e.conftest import Emulators

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
Run = Callable[..., LambdaEmulator]


@pytest.fixture
def aws() -> Iterator[FakeAws]:
    """Lambda and CodeDeploy."""
    with fake_aws() as server:
        yield server


@pytest.fixture
def run(aws: FakeAws, _needs_emulator: None) -> Iterator[Run]:
    """Starts a function of the source tree with further variables."""
    with ExitStack() as stack:

        def start(name: str, **variables: str) -> LambdaEmulator:
            env = local_environment() | CREDENTIALS | aws.environment | variables
            options = EmulatorOptions(python_path=(ROOT / "shared",), env=env, timeout_s=240)
            return stack.enter_context(LambdaEmulator(ROOT / "functions" / name, options))

        yield start


def test_the_shipped_model_passes_the_hook_before_traffic(aws: FakeAws, run: Run, emulate_source: Emulators) -> None:
    """The real function with the real model has every golden verdict, its digest and its golden scores."""
    scan = emulate_source("scan")
    aws.functions[f"{ARN}scan:7"] = (scan.invoke, "7")
    hook = run("pre_traffic", RAXE_HOOK_VERSION=f"{ARN}scan:7", RAXE_HOOK_LATENCY_MS="5000")
    assert hook.invoke(load_event("codedeploy_hook")) == {"succeeded": True}
    assert aws.reports == [("d-1", "hook-1", "Succeeded")]
    (line,) = [json.loads(each) for each in hook.function_logs.splitlines() if '"pre-traffic"' in each]
    assert "pass golden scores" in str(line["checks"])
    assert not any(text in hook.function_logs for text in (*ATTACKS, *BENIGN))


def test_the_hook_after_traffic_fails_a_deployment_that_it_cannot_look_at(aws: FakeAws, run: Run) -> None:
    """Without the functions it should call it says so to CodeDeploy, and ends without an error."""
    names = {"RAXE_HOOK_ALIAS": f"{ARN}scan:live", "RAXE_HOOK_HEALTH": f"{ARN}health:live"}
    hook = run("post_traffic", RAXE_HOOK_VERSION=f"{ARN}scan:7", RAXE_HOOK_ALARMS="alarm", **names)
    assert hook.invoke(load_event("codedeploy_hook")) == {"succeeded": False}
    assert aws.reports == [("d-1", "hook-1", "Failed")]
    assert "ResourceNotFoundException" in hook.function_logs


@pytest.mark.parametrize("event", ["alarm_ok", "codedeploy_hook"])
def test_the_rollback_function_leaves_alone_what_is_no_alarm(event: str, run: Run) -> None:
    """It answers without a call of any service: there is none to be reached here."""
    variables = {
        "RAXE_ROLLOUT": "ssm:/raxe/dev/rollout", "RAXE_CHALLENGER_ALARMS": "a", "RAXE_CHAMPION_ALARMS": "b",
        "RAXE_ROLLBACK_HOURS": "24", "RAXE_NOTIFICATION_TOPIC": "arn:aws:sns:eu-west-1:123456789012:t",
    }  # fmt: skip
    answer: dict[str, Any] = run("rollback", **variables).invoke(load_event(event))
    words = {"alarm_ok": "is no alarm: ignored", "codedeploy_hook": "not an event of SNS: Records"}
    assert answer == {"done": [words[event]]}
