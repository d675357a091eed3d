"""``raxe rollout watch``: plain lines, JSON or a live view; what cannot be read is said, and what was read stays."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import boto3
import pytest
from typer.testing import CliRunner, Result

from functions.local.events import ROOT
from raxe.adapters.dynamodb import DynamoDBExperimentStore
from raxe.adapters.rollout_file import FileRolloutStore
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.adapters.ssm import SsmOptions, SsmRolloutStore
from raxe.bootstrap.experiments import open_experiments
from raxe.cli import app
from raxe.cli.rollout_reading import Places, Reading, stack_of
from raxe.protocols import ExperimentStore
from raxe.release.alarms import ALARMS
from raxe.rollout import Rollout, Split, dump_rollout
from raxe.values.experiments import ArmTotals, Seen
from tests.dynamodb import new_table
from tests.stack import render

DOCUMENT = Rollout(champion="model-one", challenger=Split("model-two", 1000), shadow=Split("model-three", 500))
ESCAPE = "\x1b"
WAIT_S = 60.0


def watch(*arguments: str, width: int = 80, **variables: str) -> Result:
    """What ``raxe rollout watch`` does."""
    env = {"COLUMNS": str(width), "RAXE_ROLLOUT": None, "RAXE_EXPERIMENTS": None, "RAXE_EXPERIMENT": None, **variables}
    return CliRunner().invoke(app, ["rollout", "watch", *arguments], env=env)


def fill(store: ExperimentStore, times: int = 1) -> None:
    """Counts 1,000 answers of the champion, 50 of them flagged, and 100 of the challenger, 10 of them failed."""
    for _ in range(times):
        answers = [Seen("champion", "model-one", flagged=at % 20 == 0, latency_ms=8.0) for at in range(1000)]
        store.add("rollout", "champion", ArmTotals.of(answers))
        answers = [Seen("challenger", "model-two", flagged=False, failed=at % 10 == 0) for at in range(100)]
        store.add("rollout", "challenger", ArmTotals.of(answers))


@pytest.fixture
def document(tmp_path: Path) -> str:
    """A file with two arms and a shadow."""
    FileRolloutStore(tmp_path / "rollout.json").write(dump_rollout(DOCUMENT), 0, "canary 10")
    return str(tmp_path / "rollout.json")


@pytest.fixture
def counts(tmp_path: Path) -> str:
    """A file with counts."""
    fill(SqliteExperimentStore(tmp_path / "counts.sqlite"))
    return str(tmp_path / "counts.sqlite")


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
    assert "figures       not read yet: ExperimentStoreFailed: DynamoDB answered" in result.stdout
    assert "challenger    model-two 10 %" in result.stdout


def test_alarms_of_the_stage_are_shown(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the parameter: those that are on, none of them, and one that is missing is an error."""
    for service in ("SSM", "CLOUDWATCH"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", s3_endpoint)
    store = SsmRolloutStore("/raxe/watched/rollout", SsmOptions(s3_endpoint, 5, 60, 3))
    store.write(dump_rollout(DOCUMENT), 0, "set")
    arguments = ("--at", "ssm:/raxe/watched/rollout", "--count", "1")
    missing = watch(*arguments)
    assert (missing.exit_code, "alarms        not read yet: ServiceFailed" in missing.stdout) == (2, True)
    client = boto3.session.Session().client("cloudwatch", endpoint_url=s3_endpoint)
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


@pytest.mark.usefixtures("region")
def test_the_alarms_are_those_of_the_stack() -> None:
    """Every alarm of the template is asked for, by its name."""
    found = {each["AlarmName"]["Fn::Sub"] for each in render().of_type("AWS::CloudWatch::Alarm").values()}
    assert found == {f"${{AWS::StackName}}-{name}" for name in ALARMS}


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
    ],
)
def test_places_that_cannot_be_end_the_command(arguments: tuple[str, ...], said: str) -> None:
    """With exit code 2 and the name of the option, before anything is read."""
    result = watch(*arguments, "--count", "1")
    assert (result.exit_code, said in result.stderr, result.stdout) == (2, True, "")


def test_an_interrupt_ends_it_well(document: str, counts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two readings: exit code 0, even when a source is failing, and no word of abortion."""

    def interrupt(seconds: float) -> NoReturn:
        assert seconds == 5
        raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", interrupt)
    Path(document).unlink()
    result = watch("--at", document, "--experiments", counts)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "document      not read yet: RolloutNotFound" in result.stdout


def test_a_terminal_has_one_view_that_is_written_over(document: str, counts: str) -> None:
    """On a pseudo-terminal: new figures replace the old ones in place; Ctrl-C gives the cursor back and ends with 0."""
    master, slave = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(ROOT / "shared"), "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    command = [sys.executable, "-c", "from raxe.cli import app; app()", "rollout", "watch", "--every", "0.2"]
    process: Any = subprocess.Popen(
        [*command, "--at", document, "--experiments", counts], stdin=slave, stdout=slave, stderr=slave, env=env
    )
    os.close(slave)
    out, filled, ends = "", False, time.monotonic() + WAIT_S
    while not re.search(r"champion +1000 +[0-9]", out):
        out += os.read(master, 65536).decode()
        assert time.monotonic() < ends, out
        if not filled and "since counting began" in out:
            fill(open_experiments(counts))
            filled = True
    process.send_signal(signal.SIGINT)
    assert process.wait(WAIT_S) == 0
    with suppress(OSError):  # the end of a pseudo-terminal
        while more := os.read(master, 65536):
            out += more.decode()
    os.close(master)
    assert f"{ESCAPE}[1A" in out
    assert out.rindex(f"{ESCAPE}[?25h") > out.rindex("champion")
