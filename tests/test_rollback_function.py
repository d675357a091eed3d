"""The rollback function over SSM and SNS: it acts once, tells people, and never hears itself."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3
import pytest

from functions.local.events import load_event
from raxe.adapters.ssm import SsmOptions, SsmRolloutStore
from raxe.errors import InvalidEvent, InvalidSettings, RolloutNotFound, ServiceFailed
from raxe.protocols import StoredRollout
from raxe.release.duty import Handled, on_alarms
from raxe.release.rollback import Undone
from raxe.rollout import Rollout, Split, dump_rollout, parse_rollout

OLD, NEW, NEXT = "raxe-old", "raxe-new", "raxe-next"


@cache
def aws() -> Any:  # noqa: ANN401  (its type knows only services whose stubs are installed)
    """One session for all tests: each takes time to make."""
    return boto3.session.Session()


@pytest.fixture
def duty(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The function's variables, over a parameter and a topic of moto, with a queue that hears the topic."""
    for service in ("SSM", "SNS", "SQS"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", s3_endpoint)
    session = aws()
    topic = session.client("sns").create_topic(Name="told")["TopicArn"]
    queue = session.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    arn = session.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    session.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    yield {
        "RAXE_ROLLOUT": f"ssm:/raxe/{uuid.uuid4()}/rollout",
        "RAXE_CHALLENGER_ALARMS": "raxe-dev-challenger-flag-rate,another",
        "RAXE_CHAMPION_ALARMS": "raxe-dev-champion-failures", "RAXE_ROLLBACK_HOURS": "24",
        "RAXE_NOTIFICATION_TOPIC": topic,
    }  # fmt: skip
    session.client("sqs").delete_queue(QueueUrl=queue)


def told() -> list[dict[str, str]]:
    """What people were told since the last call, the message as SNS delivers it."""
    client = aws().client("sqs")
    queue = client.get_queue_url(QueueName="told")["QueueUrl"]
    found = client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        client.delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return [json.loads(each["Body"]) for each in found]


class TestFunction:
    """The function over SSM and SNS."""

    @pytest.fixture
    def store(self, duty: dict[str, str]) -> SsmRolloutStore:
        """The document of the function: OLD, then NEW with a challenger."""
        store = SsmRolloutStore(duty["RAXE_ROLLOUT"].removeprefix("ssm:"), SsmOptions(read_timeout_s=20, attempts=1))
        store.write(dump_rollout(Rollout(champion=OLD)), 0, "first")
        store.write(dump_rollout(Rollout(champion=NEW, challenger=Split(NEXT, 5000))), 1, "second")
        return store

    @staticmethod
    def event(name: str) -> dict[str, Any]:
        """An event of events/, raised now."""
        event = load_event(name)
        message = json.loads(event["Records"][0]["Sns"]["Message"])
        message["StateChangeTime"] = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        event["Records"][0]["Sns"]["Message"] = json.dumps(message)
        return event

    @staticmethod
    def words(handled: list[Handled]) -> list[str]:
        """What was done."""
        return [each.words for each in handled if isinstance(each, Undone)]

    def test_an_alarm_turns_the_challenger_off_and_says_so(self, duty: dict[str, str], store: SsmRolloutStore) -> None:
        """Delivered twice it acts once; people hear of it both times rather than never, and the same."""
        event = self.event("alarm_challenger")
        on_alarms(event, duty)
        on_alarms(event, duty)
        history: list[StoredRollout] = store.history()
        assert [each.version for each in history] == [1, 2, 3]
        assert "raxe-dev-challenger-flag-rate" in history[-1].note
        rollout = parse_rollout(history[-1].content)
        assert (rollout.champion, rollout.challenger) == (NEW, Split(NEXT, 0))
        assert [each["Subject"] for each in told()] == ["RAXE: rolled back after raxe-dev-challenger-flag-rate"] * 2

    def test_an_alarm_restores_the_champion_before(self, duty: dict[str, str], store: SsmRolloutStore) -> None:
        """The old champion serves again, alone."""
        on_alarms(self.event("alarm_champion"), duty)
        assert parse_rollout(store.read().content) == Rollout(champion=OLD)
        (said,) = told()
        assert "champion as in version 1 restored" in said["Message"]
        assert "docs/runbook.md" in said["Message"]

    def test_what_is_no_alarm_is_left_alone(self, duty: dict[str, str], store: SsmRolloutStore) -> None:
        """Back to OK, too little data, alarms of others and nonsense change nothing and tell nobody."""
        others = self.event("alarm_challenger")
        message = json.loads(others["Records"][0]["Sns"]["Message"])
        for change in ({"AlarmName": "somebody-else"}, {"NewStateValue": "INSUFFICIENT_DATA"}):
            others["Records"][0]["Sns"]["Message"] = json.dumps(message | change)
            on_alarms(others, duty)
        on_alarms(load_event("alarm_ok"), duty)
        on_alarms({"Records": [{"Sns": {"Message": "hello"}}]}, duty)
        assert store.read().version == 2
        assert told() == []

    def test_does_not_hear_itself(self, duty: dict[str, str], store: SsmRolloutStore) -> None:
        """Its own message, sent back to it, is none of CloudWatch's: nothing happens."""
        on_alarms(self.event("alarm_challenger"), duty)
        (said,) = told()
        assert [type(each) for each in on_alarms({"Records": [{"Sns": said}]}, duty)] == [InvalidEvent]
        assert store.read().version == 3
        assert told() == []

    def test_people_not_told_are_told_by_the_next_try(self, duty: dict[str, str], store: SsmRolloutStore) -> None:
        """A topic that fails makes the function fail after it acted; Lambda's next try acts no more, and tells."""
        event = self.event("alarm_challenger")
        with pytest.raises(ServiceFailed, match="sns:Publish: NotFound"):
            on_alarms(event, duty | {"RAXE_NOTIFICATION_TOPIC": "arn:aws:sns:eu-west-1:123456789012:gone"})
        assert self.words(on_alarms(event, duty)) == ["was done already, by version 3"]
        assert store.read().version == 3
        (said,) = told()
        assert said["Subject"].startswith("RAXE: rolled back after")
        assert "made version 3" in said["Message"]

    def test_settings_that_are_missing_are_named(self, duty: dict[str, str]) -> None:
        """Each variable is needed, whatever the event."""
        for name in duty:
            with pytest.raises(InvalidSettings, match=name):
                on_alarms(load_event("alarm_ok"), duty | {name: ""})

    def test_without_a_document_people_are_told_that_nothing_was_done(self, duty: dict[str, str]) -> None:
        """A parameter that does not exist is no error of the function."""
        assert self.words(on_alarms(self.event("alarm_champion"), duty)) == ["there is no rollout document"]
        assert len(told()) == 1
        with pytest.raises(RolloutNotFound):
            SsmRolloutStore(duty["RAXE_ROLLOUT"].removeprefix("ssm:")).read()
