"""``raxe rollout``: every command over the file and over SSM; a printed diff, a dry run, and refusals by exit code."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from raxe.adapters.rollout_file import FileRolloutStore
from raxe.bootstrap.rollout import open_rollout
from raxe.cli import app
from raxe.rollout import BY_ALARM, Rollout, dump_rollout, parse_rollout
from tests.factories import MODEL_ID, ModelsFolder
from tests.rollouts import SECOND, two_models
from tests.ssm import new_name

COMMANDS = ["show", "watch", "set", "canary", "promote", "off", "on", "rollback", "history", "diff"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: ModelsFolder) -> str:
    """A file where a document may come to be, over a folder with two models."""
    two_models(models, tmp_path / "rollout.json")
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("RAXE_ROLLOUT", str(tmp_path / "rollout.json"))
    return str(tmp_path / "rollout.json")


@pytest.fixture(params=["file", "ssm"])
def either_place(request: pytest.FixtureRequest, place: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The file, or a parameter."""
    if request.param == "file":
        return place
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", request.getfixturevalue("ssm_endpoint"))
    parameter = f"ssm:{new_name()}"
    monkeypatch.setenv("RAXE_ROLLOUT", parameter)
    return parameter


def raxe(*arguments: str) -> Result:
    """What ``raxe rollout`` does."""
    return CliRunner().invoke(app, ["rollout", *arguments])


def done(*arguments: str) -> str:
    """What ``raxe rollout`` prints when all is well."""
    result = raxe(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def in_force(place: str) -> dict[str, object]:
    """What the document says, in the words that the tests look at."""
    stored = open_rollout(place).read()
    rollout = parse_rollout(stored.content)
    share = rollout.challenger.percent if rollout.challenger else None
    return {"version": stored.version, "l2": rollout.l2, "champion": rollout.champion, "share": share}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    """Each help text has examples, says what exit codes mean, and fits 80 columns."""
    result = CliRunner().invoke(app, ["rollout", command, "--help"], env={"COLUMNS": "80"})
    assert "Examples:\n    " in result.stdout
    assert "Exit code: 0" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_a_model_goes_from_challenger_to_champion_and_back(either_place: str) -> None:
    """Set, canary 10, 50, 100, promote: each is a version; each rollback takes the last one back."""
    done("set", "--champion", MODEL_ID, "--challenger", SECOND)
    assert in_force(either_place) == {"version": 1, "l2": True, "champion": MODEL_ID, "share": 0.0}
    for version, percent in enumerate(("10", "50", "100"), 2):
        printed = done("canary", percent)
        assert in_force(either_place) == {"version": version, "l2": True, "champion": MODEL_ID, "share": float(percent)}
    assert printed.splitlines()[:2] == [f"- challenger    {SECOND} 50 %", f"+ challenger    {SECOND} 100 %"]
    done("promote")
    assert in_force(either_place) == {"version": 5, "l2": True, "champion": SECOND, "share": None}
    for version, share in ((6, 100.0), (7, 50.0), (8, 10.0)):
        done("rollback")
        assert in_force(either_place) == {"version": version, "l2": True, "champion": MODEL_ID, "share": share}
    done("off")
    done("on")
    history = json.loads(done("history", "--json"))
    notes = [each["note"] for each in history]
    assert notes[-5:] == ["rollback to 4", "rollback to 3", "rollback to 2", "off", "on"]
    assert history[3]["digest"] == history[5]["digest"] != history[4]["digest"]
    done("rollback", "--to", "5")
    assert in_force(either_place)["champion"] == SECOND


def test_after_an_alarm_rolled_back_the_version_must_be_named(place: str) -> None:
    """Whoever hears of the alarm and rolls back too would put the bad champion into force again."""
    done("set", "--champion", MODEL_ID, "--challenger", SECOND)
    done("promote")
    open_rollout(place).write(dump_rollout(Rollout(champion=MODEL_ID)), 2, f"{BY_ALARM}champion-latency: restored")
    result = raxe("rollback")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "an alarm made version 3" in result.stderr
    assert in_force(place)["champion"] == MODEL_ID
    done("rollback", "--to", "2")
    assert in_force(place)["champion"] == SECOND


def test_a_dry_run_prints_and_writes_nothing(place: str) -> None:
    """Of every command that writes, on a document and before there is one."""
    assert "dry run: nothing was written" in done("set", "--champion", MODEL_ID, "--dry-run")
    assert raxe("show").exit_code == 2
    done("set", "--champion", MODEL_ID, "--challenger", SECOND)
    done("canary", "5")
    before = in_force(place)
    for command in (["set", "--shadow", SECOND], ["canary", "50"], ["promote"], ["off"], ["rollback"]):
        printed = done(*command, "--dry-run")
        assert printed.splitlines()[0][0] in "+-"
        assert printed.splitlines()[-1] == "dry run: nothing was written"
        assert json.loads(done(*command, "--dry-run", "--json"))["written"] is False
    assert in_force(place) == before


def test_what_changes_nothing_is_not_written(place: str) -> None:
    """No version is made of it."""
    done("set", "--champion", MODEL_ID, "--challenger", SECOND)
    for command in (["on"], ["canary", "0"], ["set", "--champion", MODEL_ID]):
        assert done(*command) == "nothing changes\n"
    assert in_force(place)["version"] == 1


def test_an_edit_over_another_version_is_refused(either_place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By --if-version, and when somebody writes in between: exit code 1, and theirs is in force."""
    done("set", "--champion", MODEL_ID)
    done("off", "--if-version", "1")
    for version in ("0", "1", "3"):
        result = raxe("on", "--if-version", version)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "refused" in result.stderr
    stale = open_rollout(either_place).read()
    done("set", "--on-failure", "block")
    kind = type(open_rollout(either_place))
    monkeypatch.setattr(kind, "read", lambda _: stale)
    result = raxe("on")
    assert (result.exit_code, result.stdout) == (1, "")
    monkeypatch.undo()
    stored = open_rollout(either_place) if either_place.startswith("/") else None
    assert stored is None or parse_rollout(stored.read().content).on_failure == "block"


def test_everything_can_be_set_and_taken_out_again(place: str) -> None:
    """Each option is in the document; none takes it out; what is not named stays."""
    done(
        "set", "--champion", MODEL_ID, "--challenger", SECOND, "--shadow", SECOND, "--shadow-percent", "2.5",
        "--threshold", "document=0.3,0.7", "--threshold", "user=0.5,0.9", "--on-failure", "block", "--salt", "autumn",
    )  # fmt: skip
    shown = done("show")
    for words in (
        "l2            on", f"champion      {MODEL_ID}", f"challenger    {SECOND} 0 %", f"shadow        {SECOND} 2.5 %",
        "salt          autumn", "document from review 0.3, block 0.7", "user from     review 0.5, block 0.9",
        "on failure    block",
    ):  # fmt: skip
        assert words in shown
    done("set", "--shadow-percent", "100", "--threshold", "user=none")
    assert f"shadow        {SECOND} 100 %" in done("show")
    done("set", "--champion", "none", "--challenger", "none", "--shadow", "none", "--threshold", "document=none",
         "--on-failure", "none", "--salt", "none")  # fmt: skip
    body = json.loads(done("show", "--json"))
    assert body["document"] == {"l2": {"default": True}}
    assert (body["at"], body["version"]) == (place, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["set", "--champion", "no-such-model"], "no model 'no-such-model'"),
        (["set", "--challenger", "../etc", "--unchecked"], "models.default.challenger"),
        (["set", "--champion", SECOND, "--challenger", SECOND], "another model than champion"),
        (["set", "--threshold", "moon=1,2"], "threshold: must be SOURCE=REVIEW,BLOCK"),
        (["set", "--threshold", "user=0.9,0.1"], "review must not be above block"),
        (["set", "--threshold", "user=0.9"], "threshold: must be"),
        (["set", "--on-failure", "shrug"], "on-failure: must be one of"),
        (["set", "--shadow-percent", "5"], "there is no shadow"),
        (["canary", "10"], "raxe rollout set --challenger"),
        (["canary", "101"], "raxe rollout set --challenger"),
        (["promote"], "raxe rollout set --challenger"),
        (["rollback"], "no version before"),
        (["rollback", "--to", "9"], "no version 9"),
        (["show", "--at", "s3://a/b"], "must be ssm:/name"),
    ],
)
def test_what_cannot_be_done_is_an_error(place: str, arguments: list[str], message: str) -> None:
    """One line, exit code 2, and nothing is written."""
    done("set", "--on-failure", "review")
    result = raxe(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert in_force(place)["version"] == 1


def test_an_unknown_model_may_be_named_on_purpose(place: str) -> None:
    """With --unchecked: the registry of the stage need not be this machine's."""
    done("set", "--champion", "model-of-theirs", "--unchecked")
    assert in_force(place)["champion"] == "model-of-theirs"


def test_diff_says_by_its_exit_code(place: str) -> None:
    """0 the same, 1 another; without versions it is what a rollback would take back."""
    done("set", "--champion", MODEL_ID)
    done("off")
    result = raxe("diff")
    assert (result.exit_code, result.stdout.splitlines()[1:]) == (
        1,
        ["- l2            on", "+ l2            off: rules only"],
    )
    done("on")
    same = raxe("diff", "1", "3", "--json")
    assert (same.exit_code, json.loads(same.stdout)) == (0, {"from": 1, "to": 3, "diff": []})
    assert place


def test_a_broken_document_can_be_rolled_back(
    tmp_path: Path, models: ModelsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that somebody wrote by hand is said by show and history, edited by nobody, and gone after a rollback."""
    path = tmp_path / "rollout.json"
    monkeypatch.setenv("RAXE_ROLLOUT", str(path))
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    done("set", "--champion", MODEL_ID)
    path.write_text('{"l2": 1}')
    for command in (["show"], ["off"]):
        result = raxe(*command)
        assert (result.exit_code, "l2: Input should be an object" in result.stderr) == (2, True)
    assert "not valid" in done("history")
    done("rollback")
    assert FileRolloutStore(path).read().version == 3
    assert in_force(str(path))["champion"] == MODEL_ID


def test_without_a_place_it_says_what_to_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither --at nor RAXE_ROLLOUT."""
    monkeypatch.delenv("RAXE_ROLLOUT", raising=False)
    result = raxe("show")
    assert (result.exit_code, result.stderr) == (2, "error: at: give ssm:/name or a file, or set RAXE_ROLLOUT\n")
