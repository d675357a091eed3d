"""The hook after traffic: what it finds out about the alias that sends everything to the new version."""

from collections.abc import Iterator

import boto3
import pytest

from raxe.release.traffic import post_traffic
from tests.aws import ARN, FakeAws
from tests.factories import ModelsFolder
from tests.handlers import load_handler
from tests.hooks import EVENT, TIME_S, VERSION, failed, serve

LIVE, HEALTH, ALARM = f"{ARN}scan:live", f"{ARN}health:live", "raxe-dev-version-latency"


class TestAfterTraffic:
    """What is asked of the alias when the new version has all traffic."""

    @pytest.fixture
    def environ(self, aws: FakeAws, models: ModelsFolder, s3_endpoint: str) -> Iterator[dict[str, str]]:
        """The hook's variables, with good functions behind both aliases and an alarm that is quiet."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAXE_MODELS_DIR", str(models.root))
            serve(aws, load_handler("scan", "/v1/scan"), LIVE)
            serve(aws, load_handler("health", "/v1/health", "GET"), HEALTH)
        alarms = boto3.session.Session().client("cloudwatch", endpoint_url=s3_endpoint)
        alarms.put_metric_alarm(
            AlarmName=ALARM, Namespace="RAXE", MetricName="ScanLatency", Period=60, EvaluationPeriods=1, Threshold=1,
            ComparisonOperator="GreaterThanThreshold", Statistic="Maximum",
        )  # fmt: skip
        alarms.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="test")
        yield {
            "RAXE_HOOK_VERSION": VERSION, "RAXE_HOOK_ALIAS": LIVE, "RAXE_HOOK_HEALTH": HEALTH,
            "RAXE_HOOK_ALARMS": ALARM,
        }  # fmt: skip
        alarms.delete_alarms(AlarmNames=[ALARM])

    def test_a_good_alias_passes(self, aws: FakeAws, environ: dict[str, str]) -> None:
        """Verdicts, version, health and alarms are looked at, and all hold."""
        outcome = post_traffic(EVENT, environ, TIME_S)
        assert failed(outcome) == {}
        assert {each.check for each in outcome.findings} >= {"version", "health", "alarms", "golden attacks"}
        assert aws.reports == [("d-1", "hook-1", "Succeeded")]

    def test_a_raised_alarm_turns_the_deployment_back(
        self, aws: FakeAws, environ: dict[str, str], s3_endpoint: str
    ) -> None:
        """An alarm on the new version is a reason to fail, and is named; so is one that does not exist."""
        alarms = boto3.session.Session().client("cloudwatch", endpoint_url=s3_endpoint)
        alarms.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="test")
        assert failed(post_traffic(EVENT, environ, TIME_S)) == {"alarms": ALARM}
        assert aws.reports == [("d-1", "hook-1", "Failed")]
        found = failed(post_traffic(EVENT, environ | {"RAXE_HOOK_ALARMS": f"{ALARM},other"}, TIME_S))
        assert found == {"checks": "ServiceFailed: cloudwatch:DescribeAlarms: there is no alarm other"}

    def test_an_alias_that_still_answers_with_the_old_version_fails(
        self, aws: FakeAws, environ: dict[str, str]
    ) -> None:
        """All traffic must reach the new version."""
        aws.functions[LIVE] = (aws.functions[LIVE][0], "6")
        assert failed(post_traffic(EVENT, environ, TIME_S)) == {"version": "6 for 7"}

    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            ('{"status": "unhealthy", "checks": {"model": "ok"}}', "unhealthy, model ok"),
            ('{"status": "degraded", "checks": {"model": "InvalidBundle"}}', "degraded, model InvalidBundle"),
            ("{}", "KeyError"),
        ],
    )
    def test_bad_health_fails(self, aws: FakeAws, environ: dict[str, str], body: str, detail: str) -> None:
        """Unhealthy, without its model, or no health at all."""
        aws.functions[HEALTH] = (lambda _: {"statusCode": 200, "body": body}, "3")
        assert failed(post_traffic(EVENT, environ, TIME_S)) == {"health": detail}
