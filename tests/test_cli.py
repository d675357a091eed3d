"""``raxe``: version, help, models and rules."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from raxe import __version__
from raxe.cli import app
from raxe.registry import Metadata, save_metadata
from raxe.rules import Rule, load_rules
from raxe.values import Family, Severity

SUM = "sha256:" + "0" * 64


def raxe(*arguments: str, **variables: str) -> Result:
    """What the command does."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80", "FORCE_COLOR": None, **variables})


@pytest.fixture
def registry(tmp_path: Path) -> str:
    """A models folder with one model and one damaged metadata file."""
    folder = tmp_path / "metadata"
    folder.mkdir()
    files = {"bundle": "b", "embeddings": "e", "tokenizer": "t", "size_mb": 23.5}
    sums = {"bundle_sha256": SUM, "embeddings_sha256": SUM, "tokenizer_sha256": SUM}
    config = {"base_model": "tiny", "max_length": 64, "stride": 32, "embedding_dimension": 8, "quantization": "int8"}
    quality = {"rows": 9, "recall": 0.91, "fpr": 0.004, "precision": 1, "f1": 1, "balanced_accuracy": 1, "auroc": 0.99}
    metadata = {
        "model_id": "tiny-one", "name": "Tiny", "version": "1.0.0", "variant": "int8", "description": "For a test.",
        "status": "active", "tags": ["small", "own"], "file_info": {**files, **sums}, "ml_config": config,
        "accuracy": quality,
    }  # fmt: skip
    save_metadata(folder / "tiny-one.json", Metadata.model_validate(metadata))
    (folder / "broken.json").write_text("{", encoding="utf-8")
    return str(tmp_path)


def test_version() -> None:
    """The version is that of the library."""
    assert raxe("--version").stdout == f"raxe {__version__}\n"


@pytest.mark.parametrize(("given", "hint"), [("a text with a secret", "a text needs `scan`"), ("scn", "mean scan?")])
def test_a_text_without_its_command_is_not_repeated(given: str, hint: str) -> None:
    """What is no command ends with 2, and is not named: it may be the text that was to be scanned."""
    result = raxe(given)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert given not in result.output


@pytest.mark.parametrize(
    "command",
    [
        ["scan"],
        ["evaluate"],
        ["models", "list"],
        ["models", "info"],
        ["models", "migrate"],
        ["rules", "list"],
        ["rules", "check"],
        ["ab", "report"],
        [],
    ],
)
def test_help_has_examples(command: list[str]) -> None:
    """Each help text has examples and fits 80 columns."""
    result = raxe(*command, "--help")
    assert result.exit_code == 0
    assert "Examples:\n    " in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_models_are_listed(registry: str) -> None:
    """Each model has a line with its figures; one that was not measured has dashes; damaged metadata is a warning."""
    result = raxe("models", "list", RAXE_MODELS_DIR=registry)
    assert result.exit_code == 0
    line = result.stdout.splitlines()[1].split()
    assert line == ["tiny-one", "1.0.0", "active", "23.5", "-", "0.9100", "0.0040", "0.9900"]
    assert result.stderr.startswith("warning: broken.json: ")


def test_models_are_listed_as_json(registry: str) -> None:
    """With --json a list of metadata is on stdout, warnings apart from it."""
    assert [
        model["model_id"] for model in json.loads(raxe("models", "list", "--json", RAXE_MODELS_DIR=registry).stdout)
    ] == ["tiny-one"]


def test_no_models(tmp_path: Path) -> None:
    """An empty registry is no error."""
    assert raxe("models", "list", RAXE_MODELS_DIR=str(tmp_path)).stdout == "no models\n"
    assert raxe("models", "list", "--json", RAXE_MODELS_DIR=str(tmp_path)).stdout == "[]\n"


def test_model_info(registry: str) -> None:
    """The metadata of a model is shown by dotted names, and whole as JSON."""
    lines = [
        line.split(maxsplit=1)
        for line in raxe("models", "info", "tiny-one", RAXE_MODELS_DIR=registry).stdout.splitlines()
    ]
    assert ["ml_config.max_length", "64"] in lines
    assert ["tags", "small, own"] in lines
    body = raxe("models", "info", "tiny-one", "--json", RAXE_MODELS_DIR=registry).stdout
    assert Metadata.model_validate_json(body).model_id == "tiny-one"


def test_an_unknown_model_is_an_error(registry: str) -> None:
    """An id that is not there is an error that names the ids that are."""
    result = raxe("models", "info", "other", RAXE_MODELS_DIR=registry)
    assert (result.exit_code, result.stderr) == (2, "error: no model 'other'; there are: tiny-one\n")


def test_rules_of_a_family_are_listed() -> None:
    """With --family the rules of that family alone are listed, each once."""
    found = json.loads(raxe("rules", "list", "--family", "ENC", "--json").stdout)
    assert [rule["id"] for rule in found] == [rule.id for rule in load_rules() if rule.family is Family.ENC]
    assert raxe("rules", "list", "--family", "ENC").stdout.count("ENC-") == len(found)


def test_own_rules_hold() -> None:
    """Every rule we ship does on its examples what they say."""
    result = raxe("rules", "check")
    assert (result.exit_code, result.stdout) == (0, f"{len(load_rules())} rules, 0 fail\n")


def test_rules_that_do_not_hold_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that misses a match or hits a near-miss is named with the place of the example, and exit code 1."""
    first = Rule("PI-001", 1, Family.PI, "goal_hijack", Severity.HIGH, 0.9, "", ("otter",), ("an otter", "a seal"), ())
    second = Rule("PI-002", 1, Family.PI, "goal_hijack", Severity.HIGH, 0.9, "", ("otter",), (), ("a seal", "an otter"))
    monkeypatch.setattr("raxe.cli.rules.load_rules", lambda: (first, second))
    result = raxe("rules", "check")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "PI-001: matches 2 does not match",
        "PI-002: not_matches 2 matches",
        "2 rules, 2 fail",
    ]
