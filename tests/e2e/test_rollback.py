"""From a bad challenger to the champion again, with no hand in between, under the Lambda emulator with moto as AWS.

What moto does not do is done here, word by word as AWS does it: metric lines of the log become metrics, alarms of the
template are evaluated over them, and an alarm that goes off becomes a message of SNS.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.events import ROOT, load_event, scan_event
from raxe.bundle import write_bundle
from raxe.rollout import Rollout, Split, dump_rollout
from tests.factories import CONTENTS, MODEL_ID, heads_onnx, metadata_of, sha256, write_models
from tests.metric_math import breached
from tests.stack import render

pytestmark = pytest.mark.usefixtures("region", "_needs_emulator")

BAD = "bad-model"  # it takes every text for an attack
DOCUMENT, ALARM = "/raxe/e2e/rollout", "ChallengerFlagRateAlarm"
TEXT = "What is the capital of France?"
SCANS = 120  # the alarm wants 50 of each arm


class Story:
    """What happened when, for the test's output; docs/runbook.md has a copy of one run."""

    def __init__(self) -> None:
        """Begins empty."""
        self.lines: list[str] = []

    def tell(self, words: str) -> None:
        """Notes it with the time."""
        self.lines.append(f"{datetime.now(UTC):%H:%M:%S.%f}"[:-3] + f"  {words}")


class Aws:
    """moto's services with what it leaves out."""

    def __init__(self, endpoint: str) -> None:
        """Makes the topic and the alarm as the template has it."""
        session: Any = boto3.session.Session()
        self.ssm, self.cloudwatch, self.sns = (
            session.client(name, endpoint_url=endpoint) for name in ("ssm", "cloudwatch", "sns")
        )
        self.topic = self.sns.create_topic(Name="e2e")["TopicArn"]
        self.alarm = _resolved(render(Stage="dev").of_type("AWS::CloudWatch::Alarm")[ALARM])
        self.cloudwatch.put_metric_alarm(**self.alarm)

    def take_metrics(self, log: str) -> None:
        """CloudWatch Logs' part: every value of every metric line."""
        for line in [json.loads(each) for each in log.splitlines() if each.startswith('{"_aws"')]:
            for directive in line["_aws"]["CloudWatchMetrics"]:
                dimensions = [{"Name": name, "Value": line[name]} for name in directive["Dimensions"][0]]
                data = [
                    {"MetricName": each["Name"], "Dimensions": dimensions, "Value": value}
                    for each in directive["Metrics"]
                    for value in (line[each["Name"]] if isinstance(line[each["Name"]], list) else [line[each["Name"]]])
                ]
                self.cloudwatch.put_metric_data(Namespace=directive["Namespace"], MetricData=data)

    def evaluate(self) -> tuple[bool, Mapping[str, float | None]]:
        """CloudWatch's part: the state of the alarm over the last minutes, and the values that it saw."""
        found = {each["Id"]: self._value(each["MetricStat"]) for each in self.alarm["Metrics"] if "MetricStat" in each}
        raised = breached(self.alarm, found)
        self.cloudwatch.set_alarm_state(
            AlarmName=self.alarm["AlarmName"], StateValue="ALARM" if raised else "OK", StateReason="evaluated"
        )
        return raised, found

    def message(self) -> dict[str, Any]:
        """SNS's part: the event of the alarm as it stands now."""
        (now,) = self.cloudwatch.describe_alarms(AlarmNames=[self.alarm["AlarmName"]])["MetricAlarms"]
        event = load_event("alarm_challenger")
        message = json.loads(event["Records"][0]["Sns"]["Message"]) | {
            "AlarmName": now["AlarmName"], "NewStateValue": now["StateValue"],
            "StateChangeTime": now["StateUpdatedTimestamp"].strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
        }  # fmt: skip
        event["Records"][0]["Sns"]["Message"] = json.dumps(message)
        return event

    def _value(self, wanted: Mapping[str, Any]) -> float | None:
        metric, now = wanted["Metric"], datetime.now(UTC)
        points = self.cloudwatch.get_metric_statistics(
            Namespace=metric["Namespace"], MetricName=metric["MetricName"], Dimensions=metric["Dimensions"],
            StartTime=now - timedelta(minutes=30), EndTime=now + timedelta(minutes=30), Period=3600,
            Statistics=[wanted["Stat"]],
        )["Datapoints"]  # fmt: skip
        total = [each[wanted["Stat"]] for each in points]
        return float(sum(total) / (len(total) if wanted["Stat"] == "Average" else 1)) if total else None


def _resolved(value: Any) -> Any:  # noqa: ANN401  (any part of a template)
    """The alarm as CloudFormation would send it."""
    if isinstance(value, dict) and value.keys() == {"Fn::Sub"}:
        return value["Fn::Sub"].replace("${AWS::StackName}", "raxe-dev")
    if isinstance(value, dict):
        whole = {key: _resolved(each) for key, each in value.items() if key not in {"AlarmActions", "OKActions"}}
        return whole | ({"Threshold": float(whole["Threshold"])} if "Threshold" in whole else {})
    return [_resolved(each) for each in value] if isinstance(value, list) else value


def two_models(root: Path) -> Path:
    """A models folder with the tiny model, and a bad one."""
    folder = write_models(root)
    always = heads_onnx(binary=np.array([12, 12, 12], dtype=np.float32))
    bundle = root / "bundles" / f"{BAD}.raxe"
    write_bundle(bundle, replace(CONTENTS, model_id=BAD, heads_onnx=always))
    metadata = metadata_of(folder, BAD)
    metadata["file_info"] |= {"bundle": f"bundles/{BAD}.raxe", "bundle_sha256": sha256(bundle.read_bytes())}
    for name in ("golden", "golden_sha256"):
        del metadata["file_info"][name]
    (root / "metadata" / f"{BAD}.json").write_text(json.dumps(metadata))
    return root


@pytest.fixture
def functions(s3_endpoint: str, tmp_path: Path) -> Iterator[tuple[LambdaEmulator, LambdaEmulator, Aws]]:
    """The scan function with both models, the rollback function, and AWS."""
    aws = Aws(s3_endpoint)
    credentials = {name: os.environ[name] for name in os.environ if name.startswith("AWS_")}
    env = local_environment() | credentials | {
        "AWS_ENDPOINT_URL": s3_endpoint, "RAXE_ROLLOUT": f"ssm:{DOCUMENT}", "RAXE_ROLLOUT_TTL": "1",
        "POWERTOOLS_SERVICE_NAME": "raxe-dev", "RAXE_MODELS_DIR": str(two_models(tmp_path / "models")),
        "RAXE_CHALLENGER_ALARMS": aws.alarm["AlarmName"], "RAXE_CHAMPION_ALARMS": "none",
        "RAXE_ROLLBACK_HOURS": "24", "RAXE_NOTIFICATION_TOPIC": aws.topic,
    }  # fmt: skip
    options = EmulatorOptions(python_path=(ROOT / "shared",), env=env)
    rollout = Rollout(champion=MODEL_ID, challenger=Split(BAD, 5000))
    aws.ssm.put_parameter(Name=DOCUMENT, Value=dump_rollout(rollout).decode(), Type="String", Overwrite=True)
    with (
        LambdaEmulator(ROOT / "functions" / "scan", options) as scan,
        LambdaEmulator(ROOT / "functions" / "rollback", options) as rollback,
    ):
        yield scan, rollback, aws


def ask(scan: LambdaEmulator, subject: str) -> dict[str, Any]:
    """The answer to a harmless text of a subject."""
    event = scan_event(TEXT)
    event["body"] = json.dumps({"text": TEXT, "subject": subject})
    body: dict[str, Any] = json.loads(scan.invoke(event)["body"])
    return body


def test_a_bad_challenger_is_off_without_a_hand(
    functions: tuple[LambdaEmulator, LambdaEmulator, Aws], capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad challenger -> metrics -> alarm -> rollback function -> the next scan of the same subject by the champion."""
    (scan, rollback, aws), story = functions, Story()
    story.tell(f"rollout version 1: champion {MODEL_ID}, challenger {BAD} at 50 %")
    answers = {subject: ask(scan, subject) for subject in map(str, range(SCANS))}
    hit = [subject for subject, each in answers.items() if each["model"]["arm"] == "challenger"]
    assert {answers[subject]["verdict"] for subject in hit} == {"block"}
    assert {each["verdict"] for subject, each in answers.items() if subject not in hit} == {"allow"}
    story.tell(f"{SCANS} harmless scans: the champion allows {SCANS - len(hit)}, the challenger blocks {len(hit)}")
    aws.take_metrics(scan.function_logs)
    raised, values = aws.evaluate()
    story.tell(f"CloudWatch: {aws.alarm['AlarmName']} over {json.dumps(values)}: {'ALARM' if raised else 'OK'}")
    assert raised
    done = rollback.invoke(aws.message())["done"]
    story.tell(f"rollback function: {done[0]}")
    assert done == [f"challenger {BAD} turned off, was at 50 %"]
    assert rollback.invoke(aws.message())["done"] == ["was done already, by version 2"]
    story.tell("the same message again: was done already, by version 2")
    answer = _after_refresh(scan, hit[0])
    story.tell(
        f"scan of a subject of the challenger: {answer['verdict']} by the {answer['model']['arm']}, rollout version 2"
    )
    assert (answer["verdict"], answer["model"]["arm"], answer["model"]["id"]) == ("allow", "champion", MODEL_ID)
    assert all(ask(scan, subject)["verdict"] == "allow" for subject in hit[:10])
    note = aws.ssm.get_parameter_history(Name=DOCUMENT)["Parameters"][-1]["Description"]
    assert aws.alarm["AlarmName"] in note
    assert TEXT not in scan.function_logs + rollback.function_logs
    with capsys.disabled():
        print("\n" + "\n".join(story.lines))


def _after_refresh(scan: LambdaEmulator, subject: str) -> dict[str, Any]:
    """The first answer under version 2 of the document; scans do not wait for a refresh, they start it."""
    for _ in range(600):
        answer = ask(scan, subject)
        if answer["rollout"]["version"] == 2:
            return answer
        time.sleep(0.1)
    raise AssertionError("the scan function never saw version 2")
