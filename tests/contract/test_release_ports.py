"""The ports of a release, each over its adapter: what AWS says becomes a value or one of two errors."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from raxe.adapters.release import CloudWatchAlarms, CodeDeployHooks, LambdaFunction, SnsTopic
from raxe.errors import FunctionRaised, ServiceFailed
from raxe.protocols import Alarms, Function, HookStatus, Invocation, Topic
from tests.aws import ARN, FakeAws, fake_aws
from tests.s3 import bad_server

SERVICES = ("LAMBDA", "CODEDEPLOY", "CLOUDWATCH", "SNS")


@pytest.fixture
def aws(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """All four services on loopback."""
    with fake_aws() as server:
        for service in SERVICES:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", s3_endpoint)
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


def test_a_function_gives_what_it_returned_and_its_version(aws: FakeAws) -> None:
    """The event arrives whole, in any script, and the version is that of Lambda's header."""
    aws.functions[f"{ARN}a:live"] = (lambda event: {"got": event}, "12")
    function: Function = LambdaFunction(f"{ARN}a:live")
    assert function.invoke({"text": "é日本😀"}) == Invocation({"got": {"text": "é日本😀"}}, "12")


@pytest.mark.parametrize("answer", [b"", b"null", b"[]", b'"text"', b"{", ValueError("a text")])
def test_a_function_that_does_not_answer_has_raised(aws: FakeAws, answer: object) -> None:
    """What it raised, ended with or returned in the place of an object is not repeated."""

    def handle(_: dict[str, Any]) -> object:
        if isinstance(answer, Exception):
            raise answer
        return answer

    aws.functions[f"{ARN}a:1"] = (handle, "1")
    function: Function = LambdaFunction(f"{ARN}a:1")
    with pytest.raises(FunctionRaised) as caught:
        function.invoke({})
    assert "text" not in str(caught.value)


def test_a_hook_is_reported_once(aws: FakeAws) -> None:
    """A second report, of the same or the other end, changes nothing and is no error."""
    hooks: HookStatus = CodeDeployHooks()
    for succeeded in (False, False, True):
        hooks.report("d-1", "hook-1", succeeded=succeeded)
    assert aws.reports == [("d-1", "hook-1", "Failed")]


@pytest.mark.usefixtures("aws")
def test_alarms_are_told_by_name(s3_endpoint: str) -> None:
    """Only those in alarm, sorted; none for none, and one that does not exist is an error that names it."""
    client = boto3.session.Session().client("cloudwatch", endpoint_url=s3_endpoint)
    for name, state in (("port-b", "ALARM"), ("port-a", "ALARM"), ("port-c", "OK"), ("port-d", "INSUFFICIENT_DATA")):
        client.put_metric_alarm(
            AlarmName=name, Namespace="RAXE", MetricName="m", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold", Statistic="Maximum",
        )  # fmt: skip
        client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")
    alarms: Alarms = CloudWatchAlarms()
    assert alarms.raised(["port-d", "port-c", "port-b", "port-a"]) == ["port-a", "port-b"]
    assert alarms.raised(["port-c"]) == []
    with pytest.raises(ServiceFailed, match="there is no alarm port-x"):
        alarms.raised(["port-a", "port-x"])


@pytest.mark.usefixtures("aws")
def test_a_topic_takes_any_message_with_a_subject_of_one_line(s3_endpoint: str) -> None:
    """A subject that is too long is cut, as SNS would refuse it."""
    arn = boto3.session.Session().client("sns", endpoint_url=s3_endpoint).create_topic(Name="port")["TopicArn"]
    topic: Topic = SnsTopic(arn)
    topic.publish("s" * 300, json.dumps({"any": "é"}))


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("status", [403, 400])
def test_a_service_that_refuses_is_named_with_its_call(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every adapter says which call failed, and nothing of what it was called with."""
    with bad_server(status, body=b'{"__type": "AccessDeniedException", "message": "secret"}') as address:
        for service in SERVICES:
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", address)
        calls: dict[str, Callable[[], object]] = {
            "lambda:Invoke": lambda: LambdaFunction(f"{ARN}a:1").invoke({}),
            "codedeploy:Put": lambda: CodeDeployHooks().report("secret", "secret", succeeded=True),
            "cloudwatch:DescribeAlarms": lambda: CloudWatchAlarms().raised(["secret"]),
            "sns:Publish": lambda: SnsTopic("arn:aws:sns:eu-west-1:123456789012:t").publish("secret", "secret"),
        }
        for name, call in calls.items():
            with pytest.raises(ServiceFailed, match=name) as caught:
                call()
            assert "secret" not in str(caught.value)
