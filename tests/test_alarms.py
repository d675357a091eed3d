"""The alarms of the stack: when each goes off, whom it tells, and how a deployment hangs on them."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest

from functions.local.events import ROOT
from raxe.release.alarms import ALARMS
from tests.metric_math import breached, evaluate
from tests.stack import Stack, render

pytestmark = pytest.mark.usefixtures("region")

OF_VERSION = [
    "VersionErrorRateAlarm",
    "VersionLatencyAlarm",
    "VersionMemoryAlarm",
    "VersionFlagRateAlarm",
    "VersionDegradedAlarm",
]
OF_DEPLOYMENT = ["ServiceErrorRateAlarm", *OF_VERSION]
OF_CHAMPION = ["ChampionFlagRateAlarm", "ChampionLatencyAlarm", "ChampionFailuresAlarm"]
OF_CHALLENGER = ["ChallengerFlagRateAlarm", "ChallengerLatencyAlarm", "ChallengerFailuresAlarm"]
Metrics = Mapping[str, float | None]


def alarms(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """The alarms by logical id."""
    return stack.of_type("AWS::CloudWatch::Alarm")


@cache
def stack_with_a_band() -> Stack:
    """The stack with both ends of the band of flag rates."""
    return render(AlarmFlagRateLow="0.01")


def goes_off(name: str, metrics: Metrics) -> bool:
    """Whether an alarm with its default thresholds goes off; metrics that are not given have no data."""
    alarm = alarms(stack_with_a_band())[name]
    ids = {each["Id"]: None for each in alarm["Metrics"] if "MetricStat" in each}
    assert metrics.keys() <= ids.keys()
    return breached(dict(alarm) | {"Metrics": [_written(each) for each in alarm["Metrics"]]}, ids | dict(metrics))


def _written(metric: Mapping[str, Any]) -> dict[str, Any]:
    """A metric of an alarm with its expression as text."""
    expression = metric.get("Expression")
    return dict(metric) | ({"Expression": expression["Fn::Sub"]} if isinstance(expression, dict) else {})


BAD: list[tuple[str, Metrics]] = [
    ("ServiceErrorRateAlarm", {"calls": 50, "raised": 3}),
    ("ServiceErrorRateAlarm", {"calls": 1000, "answered": 51}),
    ("VersionErrorRateAlarm", {"calls": 100, "raised": 3, "answered": 3}),
    ("VersionLatencyAlarm", {"latency": 50.1}),
    ("VersionMemoryAlarm", {"memory": 500.1}),
    ("VersionFlagRateAlarm", {"scans": 50, "rate": 0.5}),
    ("VersionFlagRateAlarm", {"scans": 5000, "rate": 0.005}),
    ("VersionDegradedAlarm", {"scans": 50, "share": 0.03}),
    ("ChampionFlagRateAlarm", {"scans": 50, "rate": 1}),
    ("ChampionFlagRateAlarm", {"scans": 1000, "rate": 0}),
    ("ChampionLatencyAlarm", {"scans": 50, "latency": 51}),
    ("ChampionFailuresAlarm", {"scans": 50, "share": 0.03}),
    ("ChallengerFlagRateAlarm", {"new_scans": 50, "new_rate": 0.32, "scans": 450, "rate": 0.1}),
    ("ChallengerFlagRateAlarm", {"new_scans": 1000, "new_rate": 0.0, "scans": 9000, "rate": 0.1}),
    ("ChallengerFlagRateAlarm", {"new_scans": 50, "new_rate": 1, "scans": 50, "rate": 0}),
    ("ChallengerFlagRateAlarm", {"new_scans": 500, "new_rate": 0.4}),
    ("ChallengerFlagRateAlarm", {"new_scans": 1000, "new_rate": 0.0, "scans": 3, "rate": 0.0}),
    ("ChallengerLatencyAlarm", {"new_scans": 50, "new_latency": 16, "scans": 450, "latency": 10}),
    ("ChallengerLatencyAlarm", {"new_scans": 500, "new_latency": 51}),
    ("ChallengerFailuresAlarm", {"new_scans": 50, "new_share": 0.03, "scans": 450, "share": 0.01}),
    ("ChallengerFailuresAlarm", {"new_scans": 500, "new_share": 0.02}),
]
GOOD: list[tuple[str, Metrics]] = [
    ("ServiceErrorRateAlarm", {"calls": 49, "raised": 49}),
    ("ServiceErrorRateAlarm", {"calls": 100, "raised": 5}),
    ("VersionErrorRateAlarm", {"calls": 100}),
    ("VersionLatencyAlarm", {"latency": 50}),
    ("VersionMemoryAlarm", {"memory": 300}),
    ("VersionFlagRateAlarm", {"scans": 49, "rate": 1}),
    ("VersionFlagRateAlarm", {"scans": 1000, "rate": 0.1}),
    ("VersionFlagRateAlarm", {"scans": 50, "rate": 0}),
    ("VersionDegradedAlarm", {"scans": 1000, "share": 0.02}),
    ("ChampionFlagRateAlarm", {"scans": 49, "rate": 1}),
    ("ChampionLatencyAlarm", {"scans": 49, "latency": 5000}),
    ("ChampionFailuresAlarm", {"scans": 100, "share": 0}),
    ("ChallengerFlagRateAlarm", {"new_scans": 49, "new_rate": 1, "scans": 450, "rate": 0.1}),
    ("ChallengerFlagRateAlarm", {"new_scans": 50, "new_rate": 0.5, "scans": 450, "rate": 0.46}),
    ("ChallengerFlagRateAlarm", {"new_scans": 50, "new_rate": 0.16, "scans": 450, "rate": 0.1}),
    ("ChallengerFlagRateAlarm", {"new_scans": 500, "new_rate": 0.1}),
    ("ChallengerLatencyAlarm", {"new_scans": 50, "new_latency": 70, "scans": 450, "latency": 60}),
    ("ChallengerLatencyAlarm", {"new_scans": 500, "new_latency": 50}),
    ("ChallengerFailuresAlarm", {"new_scans": 50, "new_share": 0.5, "scans": 450, "share": 0.5}),
    ("ChallengerFailuresAlarm", {"new_scans": 500, "new_share": 0.01}),
]


@pytest.mark.parametrize(("name", "metrics"), BAD)
def test_goes_off_for_what_is_bad(name: str, metrics: Metrics) -> None:
    """Each alarm sees what it is there for, from the least traffic that counts."""
    assert goes_off(name, metrics)


@pytest.mark.parametrize(("name", "metrics"), GOOD)
def test_is_quiet_for_what_is_not(name: str, metrics: Metrics) -> None:
    """Each alarm is quiet at its limit, and while there are too few scans for a rate to mean anything."""
    assert not goes_off(name, metrics)


def test_every_alarm_is_tried_both_ways_and_quiet_without_data() -> None:
    """No alarm is left out above, and no traffic is no reason to wake anybody."""
    names = set(alarms(render()))
    assert names == {name for name, _ in BAD} == {name for name, _ in GOOD}
    assert names == {*OF_DEPLOYMENT, *OF_CHAMPION, *OF_CHALLENGER}
    assert not any(goes_off(name, {}) for name in names)


def test_what_a_deployment_sends_itself_is_no_reason_to_turn_back() -> None:
    """Hooks and smoke tests send a third attacks: alone on a quiet stack, or in any part of it, they raise no alarm."""
    hooks = {"before": (43, 13), "after": (12, 6), "smoke": (42, 11)}
    for names in (["before"], ["before", "after"], ["after", "smoke"], ["before", "after", "smoke"]):
        scans, flagged = (sum(hooks[name][at] for name in names) for at in (0, 1))
        for quiet in (0, 5, 10, 50):
            found = {"scans": scans + quiet, "rate": flagged / (scans + quiet)}
            assert not goes_off("VersionFlagRateAlarm", found)
            assert not goes_off("ChampionFlagRateAlarm", found)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.3])
def test_two_arms_alike_do_not_turn_the_challenger_off(share: float) -> None:
    """A day of five minutes each, with the least traffic that counts: chance alone turns off one challenger of ten."""
    draw = np.random.default_rng(7)
    days, minutes = 200, 288
    flagged = draw.binomial([50, 450], share, (days * minutes, 2)) / [50, 450]
    seen, at = np.unique(flagged, axis=0, return_inverse=True)
    off = [
        goes_off("ChallengerFlagRateAlarm", {"new_scans": 50, "new_rate": new, "scans": 450, "rate": old})
        for new, old in seen.tolist()
    ]
    assert np.array(off)[at].reshape(days, minutes).any(axis=1).mean() < 0.1


@pytest.mark.parametrize("name", ["ChampionLatencyAlarm", "ChallengerLatencyAlarm"])
def test_a_few_long_texts_turn_no_model_off(name: str) -> None:
    """A quantile of little traffic is a few texts': it must be too high for a quarter of an hour."""
    alarm = alarms(render())[name]
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (3, 3)


def test_metric_math_is_that_of_cloudwatch() -> None:
    """The evaluator of these tests keeps precedence and missing data as AWS documents them."""
    assert evaluate("1 + 2 * 3 > 6 AND 4 / 2 - 1 < 2 OR 0", {}) == 1
    assert evaluate("IF(a, b, FILL(b, 7))", {"a": 0, "b": None}) == 7
    assert evaluate("a + 1", {"a": None}) is None
    assert evaluate("a / 0", {"a": 1.0}) is None


def test_every_alarm_tells_people_and_names_its_section_of_the_runbook() -> None:
    """The description leads to a heading that exists, and people hear of the end of an alarm too."""
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"^### (\S+)$", runbook, re.MULTILINE))
    found = alarms(render())
    for alarm in found.values():
        (section,) = re.findall(r"docs/runbook\.md#(\S+)$", alarm["AlarmDescription"])
        assert section in headings
        assert alarm["AlarmName"] == {"Fn::Sub": f"${{AWS::StackName}}-{section}"}
        assert {"Ref": "NotificationTopic"} in alarm["AlarmActions"]
        assert alarm["OKActions"] == [{"Ref": "NotificationTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
    assert headings == {alarm["AlarmName"]["Fn::Sub"].partition("}-")[2] for alarm in found.values()}
    assert sorted(headings) == sorted(ALARMS)  # which `raxe rollout watch` asks for


def test_alarms_on_arms_and_no_others_reach_the_rollback_function() -> None:
    """The function knows the names of both kinds, and hears only what it may act on."""
    stack = render()
    hears = {name for name, each in alarms(stack).items() if {"Ref": "RollbackTopic"} in each["AlarmActions"]}
    assert hears == {*OF_CHAMPION, *OF_CHALLENGER}
    variables = stack.of_type("AWS::Lambda::Function")["RollbackFunction"]["Environment"]["Variables"]
    for variable, names in (("RAXE_CHAMPION_ALARMS", OF_CHAMPION), ("RAXE_CHALLENGER_ALARMS", OF_CHALLENGER)):
        assert variables[variable] == {"Fn::Join": [",", [{"Ref": name} for name in names]]}
    (subscription,) = stack.of_type("AWS::SNS::Subscription").values()
    assert (subscription["TopicArn"], subscription["Protocol"]) == ({"Ref": "RollbackTopic"}, "lambda")
    assert variables["RAXE_NOTIFICATION_TOPIC"] == {"Ref": "NotificationTopic"}
    config = stack.of_type("AWS::Lambda::EventInvokeConfig")["RollbackFunctionEventInvokeConfig"]
    assert config["DestinationConfig"]["OnFailure"]["Destination"] == {"Ref": "NotificationTopic"}


def test_people_are_mailed_when_an_address_is_given() -> None:
    """The address hears the topic of people, never the one of the function."""
    subscriptions = render(AlarmEmail="a@b.example").of_type("AWS::SNS::Subscription")
    assert subscriptions["EmailSubscription"] == {
        "TopicArn": {"Ref": "NotificationTopic"}, "Protocol": "email", "Endpoint": "a@b.example",
    }  # fmt: skip


def test_alarms_of_the_version_see_the_newest_version_alone() -> None:
    """Each metric of theirs has the new version in its dimensions, so that the old one cannot hide what is wrong."""
    stack = render()
    (version,) = [
        name
        for name, each in stack.of_type("AWS::Lambda::Version").items()
        if each["FunctionName"]["Ref"] == "ScanFunction"
    ]
    for name in OF_VERSION:
        for metric in [each["MetricStat"]["Metric"] for each in alarms(stack)[name]["Metrics"] if "MetricStat" in each]:
            values = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
            key = "ExecutedVersion" if metric["Namespace"] == "AWS/Lambda" else "function_version"
            assert values[key] == {"Fn::GetAtt": [version, "Version"]}


@pytest.mark.parametrize("kind", ["AllAtOnce", "Canary10Percent10Minutes"])
def test_codedeploy_moves_the_alias_of_the_scan_function(kind: str) -> None:
    """The alias has the update policy with both hooks; the group stops on the alarms and turns back by itself."""
    stack = render(DeploymentType=kind)
    policy = stack.resources["ScanFunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    assert policy == {
        "ApplicationName": {"Ref": "ServerlessDeploymentApplication"},
        "DeploymentGroupName": {"Ref": "ScanFunctionDeploymentGroup"},
        "BeforeAllowTrafficHook": {"Ref": "PreTrafficFunction"},
        "AfterAllowTrafficHook": {"Ref": "PostTrafficFunction"},
    }
    (group,) = stack.of_type("AWS::CodeDeploy::DeploymentGroup").values()
    assert group["DeploymentConfigName"] == {"Fn::Sub": f"CodeDeployDefault.Lambda{kind}"}
    assert group["AlarmConfiguration"] == {
        "Enabled": True,
        "Alarms": [{"Name": {"Ref": name}} for name in OF_DEPLOYMENT],
    }
    assert group["AutoRollbackConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert group["ServiceRoleArn"] == {"Fn::GetAtt": ["CodeDeployRole", "Arn"]}
    variables = stack.of_type("AWS::Lambda::Function")["PostTrafficFunction"]["Environment"]["Variables"]
    assert variables["RAXE_HOOK_ALARMS"] == {"Fn::Join": [",", [{"Ref": name} for name in OF_DEPLOYMENT]]}


def test_production_is_canaried() -> None:
    """Samconfig sends ten percent of production's traffic first; the other stages switch at once."""
    config = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    prod = config.index("[prod.global.parameters]")
    assert "DeploymentType=Canary10Percent10Minutes" in config[prod:]
    assert "DeploymentType" not in config[:prod]
