"""Lambda, CodeDeploy, CloudWatch and SNS as a release needs them. boto3 is imported when the first one is made."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any

from raxe.adapters.aws import Trouble, aws_client, aws_errors
from raxe.errors import FunctionRaised, ServiceFailed
from raxe.protocols import Invocation

_CONNECT_S, _READ_S, _ATTEMPTS = 2.0, 5.0, 3
# A scan may take 29 seconds. Twice, and no more: a hook must have time left to tell CodeDeploy.
_SCAN_S, _SCAN_ATTEMPTS = 35.0, 2
_SUBJECT_CHARACTERS = 100  # SNS takes no more


class _Done(Exception):
    """CodeDeploy knows already."""


class LambdaFunction:
    """A function by an ARN that ends in a version or an alias."""

    def __init__(self, arn: str) -> None:
        """Makes the client; nothing is called."""
        self._arn = arn
        self._client = aws_client("lambda", _CONNECT_S, _SCAN_S, _SCAN_ATTEMPTS)

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """What it returned; raises FunctionRaised or ServiceFailed."""
        with _typed("lambda:Invoke"):
            answer = self._client.invoke(FunctionName=self._arn, Payload=json.dumps(event).encode())
            payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise FunctionRaised(f"the function ended with {answer['FunctionError']}")
        try:
            returned = json.loads(payload)
        except ValueError:
            raise FunctionRaised("the function returned something that is not JSON") from None
        if not isinstance(returned, dict):
            raise FunctionRaised("the function did not return an object")
        return Invocation(returned, str(answer.get("ExecutedVersion", "")))


class CodeDeployHooks:
    """CodeDeploy, waiting for a hook."""

    def __init__(self) -> None:
        """Makes the client; nothing is called."""
        self._client = aws_client("codedeploy", _CONNECT_S, _READ_S, _ATTEMPTS)

    def report(self, deployment_id: str, execution_id: str, *, succeeded: bool) -> None:
        """Tells CodeDeploy; that it already knows, such as after an answer that was lost, is no error."""
        with suppress(_Done), _typed("codedeploy:PutLifecycleEventHookExecutionStatus"):
            self._client.put_lifecycle_event_hook_execution_status(
                deploymentId=deployment_id,
                lifecycleEventHookExecutionId=execution_id,
                status="Succeeded" if succeeded else "Failed",
            )


class CloudWatchAlarms:
    """The alarms of the account and region."""

    def __init__(self) -> None:
        """Makes the client; nothing is called."""
        self._client = aws_client("cloudwatch", _CONNECT_S, _READ_S, _ATTEMPTS)

    def raised(self, names: Sequence[str]) -> list[str]:
        """Those of the names, at most 100, that are in alarm, sorted; raises ServiceFailed."""
        with _typed("cloudwatch:DescribeAlarms"):
            found = self._client.describe_alarms(AlarmNames=list(names), AlarmTypes=["MetricAlarm"], MaxRecords=100)
        states = {each["AlarmName"]: each["StateValue"] for each in found["MetricAlarms"]}
        if missing := sorted(set(names) - states.keys()):
            raise ServiceFailed(f"cloudwatch:DescribeAlarms: there is no alarm {', '.join(missing)}")
        return sorted(name for name, state in states.items() if state == "ALARM")


class SnsTopic:
    """A topic by its ARN."""

    def __init__(self, arn: str) -> None:
        """Makes the client; nothing is called."""
        self._arn = arn
        self._client = aws_client("sns", _CONNECT_S, _READ_S, _ATTEMPTS)

    def publish(self, subject: str, message: str) -> None:
        """Says it; raises ServiceFailed."""
        with _typed("sns:Publish"):
            self._client.publish(TopicArn=self._arn, Subject=subject[:_SUBJECT_CHARACTERS], Message=message)


def _typed(call: str) -> AbstractContextManager[None]:
    """Makes an error of botocore one of ours, which names the call and the code."""
    return aws_errors(lambda trouble, said: _Done() if trouble is Trouble.SETTLED else ServiceFailed(f"{call}: {said}"))
