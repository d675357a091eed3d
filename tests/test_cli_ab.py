"""``raxe ab report | feedback`` over a SQLite file and over a DynamoDB table."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from raxe.adapters.dynamodb import DynamoDBExperimentStore
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.cli import app
from raxe.protocols import ExperimentStore
from raxe.values.experiments import ArmTotals, Seen
from tests.dynamodb import new_table

LATER = 4e9


def ab(*arguments: str, width: int = 100, **variables: str) -> Result:
    """What ``raxe ab`` does."""
    env = {"COLUMNS": str(width), "FORCE_COLOR": None, "RAXE_EXPERIMENTS": None, **variables}
    return CliRunner().invoke(app, ["ab", *arguments], env=env)


@pytest.fixture(params=["sqlite", "dynamodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The place of an experiment: a slower challenger, a labelled champion, two answers to be labelled."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", s3_endpoint)
    store: ExperimentStore
    if request.param == "sqlite":
        place = str(tmp_path / "ab.sqlite")
        store = SqliteExperimentStore(tmp_path / "ab.sqlite")
    else:
        table = new_table(s3_endpoint)
        place, store = f"dynamodb:{table}", DynamoDBExperimentStore(table)
    for arm, latency_ms in (("champion", 8.0), ("challenger", 14.0)):
        answers = [
            Seen(arm, f"model-{arm}", at % 20 == 0, latency_ms=latency_ms + at % 7, request_id=f"{arm}-{at}" * (at < 2))
            for at in range(3000)
        ]
        store.add("e", arm, replace(ArmTotals.of(answers), tp=40, fp=1, tn=50, fn=9))
        store.remember("e", answers, LATER)
    return place


def labels(tmp_path: Path, *rows: object) -> str:
    """A file of labels."""
    file = tmp_path / "labels.jsonl"
    file.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return str(file)


@pytest.mark.parametrize("command", ["report", "feedback"])
def test_help_has_examples(command: str) -> None:
    """And says what exit codes mean, within 80 columns."""
    result = ab(command, "--help", width=80)
    assert "Examples:\n    " in result.stdout
    assert "Exit code: 0" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_the_report_is_readable_at_100_columns(place: str) -> None:
    """Each arm and metric in one line, nothing folded; by option or by variable."""
    result = ab("report", "e", "--at", place)
    lines = result.stdout.splitlines()
    assert "answers as independent" in lines[-1]  # what the verdict does not hold for stands beside it
    assert result.exit_code == 0
    assert all(len(line) <= 100 for line in lines)
    assert next(line for line in lines if line.startswith("challenger ")).split()[1:3] == ["model-challenger", "3000"]
    assert any(line.startswith("latency_ms  challenger is worse") for line in lines)
    assert any(line.startswith("flag_rate   no difference seen") for line in lines)
    assert any("90.0% (82.6% to 94.5%)" in line for line in lines)
    assert ab("report", "e", RAXE_EXPERIMENTS=place).stdout == result.stdout


def test_the_report_as_json_has_every_figure(place: str) -> None:
    """The same object as over HTTP."""
    body = json.loads(ab("report", "e", "--at", place, "--json").stdout)
    assert [arm["arm"] for arm in body["arms"]] == ["champion", "challenger"]
    assert [metric["metric"] for metric in body["metrics"]] == ["flag_rate", "error_rate", "latency_ms", "accuracy"]
    assert body["metrics"][2]["difference"] == pytest.approx(6)


def test_labels_of_a_file_are_counted_once(place: str, tmp_path: Path) -> None:
    """Again they change nothing; an answer that nobody remembers is exit code 1, and the others count."""
    rows = [{"request_id": f"{arm}-1", "label": "attack"} for arm in ("champion", "challenger")]
    file = labels(tmp_path, *rows)
    assert ab("feedback", "--file", file, "--at", place).stdout == "2 counted, 0 moved, 0 unchanged, 0 unknown\n"
    again = ab("feedback", "--file", labels(tmp_path, *rows, {**rows[0], "label": "benign"}), "--at", place, "--json")
    assert json.loads(again.stdout) == {"counted": 0, "moved": 1, "unchanged": 2, "unknown": 0}
    unknown = ab("feedback", "--file", labels(tmp_path, {**rows[0], "request_id": "nobody"}), "--at", place)
    assert (unknown.exit_code, unknown.stdout) == (1, "0 counted, 0 moved, 0 unchanged, 1 unknown\n")
    accuracy = [arm["accuracy"]["n"] for arm in json.loads(ab("report", "e", "--at", place, "--json").stdout)["arms"]]
    assert accuracy == [101, 101]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "line 2: Invalid JSON"),
        ("", "line 2: Invalid JSON"),
        ({"request_id": "secret", "label": "maybe"}, "line 2: label: "),
        ({"request_id": "secret word", "label": "attack"}, "line 2: request_id: "),
        ({"label": "attack"}, "line 2: must have request_id"),
        ({"request_id": "a", "label": "attack", "secret": 1}, "line 2: Extra inputs"),
    ],
)
def test_a_wrong_line_is_named_before_anything_counts(place: str, tmp_path: Path, row: object, words: str) -> None:
    """Its number and field, never its value."""
    good = {"request_id": "champion-1", "label": "attack"}
    result = ab("feedback", "--file", labels(tmp_path, good, row), "--at", place)
    assert (result.exit_code, "secret" in result.stderr) == (2, False)
    assert words in result.stderr
    assert ab("feedback", "--file", labels(tmp_path, good), "--at", place).stdout.startswith("1 counted")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "e"), "RAXE_EXPERIMENTS is not set"),
        (("report", "nobody", "--at", "PLACE"), "nothing was counted"),
        (("report", "e", "--at", "none.sqlite"), "at: must be dynamodb:TABLE or a file"),
        (("report", "e", "--at", "dynamodb:a b"), "at: must be dynamodb:TABLE or a file"),
        (("feedback", "--file", "none.jsonl"), "none.jsonl: FileNotFoundError"),
    ],
)
def test_what_is_not_there_is_an_error(place: str, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, and no file is made for a name that is wrong."""
    result = ab(*(place if each == "PLACE" else each for each in arguments))
    assert (result.exit_code, words in result.stderr) == (2, True)
    assert not Path("none.sqlite").exists()
