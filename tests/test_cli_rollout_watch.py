"""``raxe rollout watch``: plain lines, JSON or a live view; what cannot be read is said, and what was read stays."""

import json
from pathlib import Path

import boto3
import pytest

from raxe.adapters.dynamodb import DynamoDBExperimentStore
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.adapters.ssm import SsmOptions, SsmRolloutStore
from raxe.cli.rollout_reading import Places, Reading, stack_of
from raxe.release.alarms import ALARMS
from raxe.rollout import dump_rollout
from raxe.values.experiments import ArmTotals, Seen
from tests.dynamodb import new_table
from tests.watched import DOCUMENT, fill, new_counts, new_document, watch

ESCAPE = "\x1b"


@pytest.fixture
def document(tmp_path: Path) -> str:
    """A file with two arms and a shadow."""
    return new_document(tmp_path)


@pytest.fixture
def counts(tmp_path: Path) -> str:
    """A file with counts."""
    return new_counts(tmp_path)


@pytest.fixture(params=["sqlite", "dynamodb"])
def either_counts(request: pytest.FixtureRequest, counts: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file, or a table with the same counts."""
    if request.param == "sqlite":
        return counts
    endpoint = request.getfixturevalue("s3_endpoint")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    table = new_table(endpoint)
    fill(DynamoDBExperimentStore(table))
    return f"dynamodb:{table}"


@pytest.mark.parametrize("width", [80, 120])
def test_a_reading_without_a_terminal_is_plain_lines(document: str, either_counts: str, width: int) -> None:
    """Each arm in one line with its figures, the document above, no escape codes, nothing wider than asked."""
    result = watch("--at", document, "--experiments", either_counts, "--count", "2", "--every", "0.1", width=width)
    assert (result.exit_code, ESCAPE in result.stdout) == (0, False)
    lines = result.stdout.splitlines()
    assert all(len(line) <= width for line in lines)
    assert lines[0].startswith("document      version 1 of ")
    assert "challenger    model-two 10 %" in lines
    arms = [line.split() for line in lines if line.startswith(("champion  ", "challenger  ")) and "model" not in line]
    first, second = arms[:2], arms[2:]
    assert [arm[:5] for arm in first] == [
        ["champion", "1000", "-", "5.00%", "0.00%"], ["challenger", "100", "-", "0.00%", "10.00%"],
    ]  # fmt: skip
    assert float(first[0][5]) == pytest.approx(8, rel=0.1)
    assert [arm[:5] for arm in second] == [["champion", "0", "0.0", "-", "-"], ["challenger", "0", "0.0", "-", "-"]]


def test_large_figures_fit_80_columns(document: str, tmp_path: Path) -> None:
    """A table of two million scans that took 30 seconds each is not folded."""
    slow = [Seen("challenger", "m", flagged=True, latency_ms=30_000.0) for _ in range(1000)]
    store, totals = SqliteExperimentStore(tmp_path / "counts.sqlite"), ArmTotals.of(slow)
    for _ in range(2000):
        store.add("rollout", "challenger", totals)
    result = watch("--at", document, "--experiments", str(tmp_path / "counts.sqlite"), "--count", "1")
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("challenger  ") and "%" in line[20:]][-1:]
    assert line.split()[:4] == ["challenger", "2000000", "-", "100.00%"]
    assert len(line.split()) == 8


def test_json_is_one_line_a_reading(document: str, either_counts: str) -> None:
    """Document, arms, alarms and what is stale; an arm that has done nothing is there with its zero."""
    result = watch("--at", document, "--experiments", either_counts, "--json", "--count", "2", "--every", "0.1")
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["document"]["version"], first["document"]["note"]) == (1, "canary 10")
    assert first["document"]["document"]["models"]["default"]["shadow"] == "model-three"
    assert [(arm["arm"], arm["scans"], arm["failed"]) for arm in first["arms"]] == [
        ("champion", 1000, 0.0), ("challenger", 100, 0.1),
    ]  # fmt: skip
    assert (first["span_s"], second["span_s"] > 0, first["alarms"], first["stale"]) == (None, True, None, {})
    assert first["at"] < second["at"]


def test_an_arm_with_a_share_and_no_scans_is_shown(document: str, tmp_path: Path) -> None:
    """A challenger that nothing reaches is a line of zeros, not a missing line."""
    SqliteExperimentStore(tmp_path / "empty.sqlite").read("rollout")
    body = json.loads(
        watch("--at", document, "--experiments", str(tmp_path / "empty.sqlite"), "--json", "--count", "1").stdout
    )
    assert [(arm["arm"], arm["scans"], arm["flagged"]) for arm in body["arms"]] == [
        ("champion", 0, None), ("challenger", 0, None),
    ]  # fmt: skip


@pytest.mark.parametrize("lost", ["counts", "document"])
def test_what_was_read_stays_and_is_called_stale(document: str, counts: str, lost: str) -> None:
    """A source that goes away: its last figures, since when, and the type of the error; when it is back, none of it."""
    reading = Reading(Places(document, counts, "rollout", None, 300))
    reading.refresh()
    before = json.loads(reading.json())
    place = Path(counts if lost == "counts" else document)
    away = place.rename(place.with_suffix(".away"))
    reading.refresh()
    after = json.loads(reading.json())
    ((name, said),) = after["stale"].items()
    assert name == ("figures" if lost == "counts" else "document")
    shown = {"figures": "arms"}.get(name, name)
    assert after[shown] == before[shown]
    assert said["error"].startswith("ExperimentNotFound: " if lost == "counts" else "RolloutNotFound: ")
    assert said["read"] <= before["at"]
    away.rename(place)
    reading.refresh()
    assert json.loads(reading.json())["stale"] == {}


def test_a_document_that_is_not_valid_is_named(document: str, counts: str) -> None:
    """It is an error of its own, which repeats no value; the exit code is 2 when the last reading had one."""
    Path(document).write_text('{"l2": "secret"}')
    result = watch("--at", document, "--experiments", counts, "--count", "1")
    assert result.exit_code == 2
    assert "document      not read yet: InvalidRollout: rollout: l2" in result.stdout
    assert "secret" not in result.stdout
    assert "champion" in result.stdout


def test_a_table_that_does_not_answer_is_said(document: str, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is shown as if it were a figure; the document is."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", s3_endpoint)
    result = watch("--at", document, "--experiments", "dynamodb:no-such-table", "--count", "1")
    assert result.exit_code == 2
    assert "figures       not read yet: ExperimentStoreFailed: DynamoDB:" in result.stdout
    assert "challenger    model-two 10 %" in result.stdout


def test_alarms_of_the_stage_are_shown(ssm_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the parameter: those that are on, none of them, and one that is missing is an error."""
    for service in ("SSM", "CLOUDWATCH"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", ssm_endpoint)
    store = SsmRolloutStore("/raxe/watched/rollout", SsmOptions(ssm_endpoint, 5, 60, 3))
    store.write(dump_rollout(DOCUMENT), 0, "set")
    arguments = ("--at", "ssm:/raxe/watched/rollout", "--count", "1")
    missing = watch(*arguments)
    assert (missing.exit_code, "alarms        not read yet: ServiceFailed" in missing.stdout) == (2, True)
    client = boto3.session.Session().client("cloudwatch", endpoint_url=ssm_endpoint)
    for name in ALARMS:
        client.put_metric_alarm(
            AlarmName=f"raxe-watched-{name}", Namespace="RAXE", MetricName="m", Period=60, EvaluationPeriods=1,
            Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Maximum",
        )  # fmt: skip
    assert "in alarm      none\n" in watch(*arguments).stdout
    client.set_alarm_state(AlarmName="raxe-watched-challenger-latency", StateValue="ALARM", StateReason="test")
    result = watch(*arguments)
    assert (result.exit_code, "in alarm      raxe-watched-challenger-latency\n" in result.stdout) == (0, True)
    assert "counted       nothing: RAXE_EXPERIMENTS is not set" in result.stdout


@pytest.mark.parametrize(
    ("place", "stack"),
    [("ssm:/raxe/prod/rollout", "raxe-prod"), ("ssm:/other/rollout", None), ("rollout.json", None), (None, None)],
)
def test_a_stack_is_known_by_its_parameter(place: str | None, stack: str | None) -> None:
    """Another parameter is of a stack of any name."""
    assert stack_of(place) == stack


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "at: give ssm:/name or a file"),
        (("--at", "s3://bucket"), "rollout: must be ssm:/name"),
        (("--experiments", "dynamodb:x"), "at: must be dynamodb:TABLE"),
        (("--experiments", "file", "--experiment", "Not A Name"), "experiment: must be"),
        (("--at", "ssm:/raxe/prod/rollout"), "no client of ssm: NoRegionError"),
    ],
)
def test_places_that_cannot_be_end_the_command(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With exit code 2 and the name of the option or variable, before anything is read."""
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    result = watch(*arguments, "--count", "1")
    assert (result.exit_code, said in result.stderr, result.stdout) == (2, True, "")
