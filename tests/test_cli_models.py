"""``raxe models validate | compare | set-default``: lines, JSON and exit codes."""

import json

import pytest
import yaml
from typer.testing import CliRunner, Result

from functions.local.events import ROOT
from raxe.cli import app
from raxe.registry import SelectionConfig, set_default
from raxe.registry.selection import parse_config
from tests.factories import MODEL_ID, ModelsFolder, metadata_of
from tests.fakes import FakeStore

SPEED = {"latency_p50_ms": 1.0, "latency_p95_ms": 1.25, "latency_p99_ms": 2.0, "memory_mb": 150.0}


def raxe(models: ModelsFolder, *arguments: str, **variables: str) -> Result:
    """What ``raxe models`` does with the folder."""
    env = {"RAXE_MODELS_DIR": str(models.root), "COLUMNS": "80", "FORCE_COLOR": None, **variables}
    return CliRunner().invoke(app, ["models", *arguments], env=env)


def add(models: ModelsFolder, model_id: str, **changed: object) -> None:
    """Drops metadata of a variant that shares all files of the tiny model."""
    document = metadata_of(models) | {"model_id": model_id, **changed}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name(f"{model_id}.json").write_text(json.dumps(document))


@pytest.mark.parametrize("command", ["validate", "compare", "which", "set-default"])
def test_help_has_examples(models: ModelsFolder, command: str) -> None:
    """Each help text has examples, says what exit codes mean, and fits 80 columns."""
    result = raxe(models, command, "--help")
    assert "Examples:\n    " in result.stdout
    assert "Exit code: 0" in " ".join(result.stdout.split())
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


class TestValidate:
    """A line a check."""

    def test_a_good_model_passes(self, models: ModelsFolder) -> None:
        """Every line is ok, and the exit code 0."""
        result = raxe(models, "validate", MODEL_ID)
        lines = [line.split(maxsplit=2) for line in result.stdout.splitlines()]
        assert (result.exit_code, {line[1] for line in lines}) == (0, {"ok"})
        assert [line[2] for line in lines][-2:] == ["loading and inference", "golden texts"]

    def test_one_failure_among_all_models_is_exit_code_one(self, models: ModelsFolder) -> None:
        """Without an id all models are checked, also those that are not listed; JSON says the same."""
        add(models, "second")
        models.metadata.with_name("bad.json").write_text("{")
        (models.root / "bundles" / "odd.raxe").write_bytes(b"PK")
        models.path("golden").write_text("{}")
        result = raxe(models, "validate")
        assert result.exit_code == 1
        failed = [line.split(maxsplit=2) for line in result.stdout.splitlines() if "  FAIL  " in line]
        assert [line[0] for line in failed] == ["bad.json", "odd.raxe", "second", MODEL_ID]
        assert failed[2][2].startswith("file golden: InvalidBundle: ")
        body = json.loads(raxe(models, "validate", "--json").stdout)
        assert [(one["model_id"], one["passed"]) for one in body] == [(name[0], False) for name in failed]

    def test_an_unknown_model_is_an_error(self, models: ModelsFolder) -> None:
        """Exit code 2, with the ids there are."""
        result = raxe(models, "validate", "nobody")
        assert (result.exit_code, MODEL_ID in result.stderr) == (2, True)


class TestCompare:
    """Figures side by side."""

    def test_models_stand_side_by_side(self, models: ModelsFolder) -> None:
        """In the order asked for, with a dash (null) for what was not measured."""
        add(models, "second", performance=SPEED)
        result = raxe(models, "compare", "second", MODEL_ID)
        rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines()}
        assert (result.exit_code, rows["figure"]) == (0, ["second", MODEL_ID])
        assert (rows["latency_p95_ms"], rows["memory_mb"], rows["recall"]) == (["1.25", "-"], ["150", "-"], ["-", "-"])
        first, last = json.loads(raxe(models, "compare", "second", MODEL_ID, "--json").stdout)
        assert (first["latency_p95_ms"], last["latency_p95_ms"], list(first)) == (1.25, None, list(last))

    def test_one_model_or_an_unknown_one_is_an_error(self, models: ModelsFolder) -> None:
        """Exit code 2."""
        assert raxe(models, "compare", MODEL_ID).exit_code == 2
        assert raxe(models, "compare", MODEL_ID, "nobody").exit_code == 2


class TestSetDefault:
    """config.yaml, written whole or not at all."""

    def test_the_shipped_file_keeps_its_comments(self, models: ModelsFolder) -> None:
        """Two values change, every comment stays, and ``which`` picks the model."""
        shipped = (ROOT / "models" / "config.yaml").read_text(encoding="utf-8")
        (models.root / "config.yaml").write_text(shipped, encoding="utf-8")
        assert raxe(models, "set-default", MODEL_ID).exit_code == 0
        written = (models.root / "config.yaml").read_text(encoding="utf-8")
        assert comments(written) == comments(shipped)
        config = parse_config(written.encode())
        assert (config.selection, config.explicit_model_id) == ("explicit", MODEL_ID)
        assert config.auto_criteria == parse_config(shipped.encode()).auto_criteria
        assert json.loads(raxe(models, "which", "--json").stdout)["steps"][1]["source"] == "config.yaml: explicit"

    @pytest.mark.parametrize(
        ("old", "kept"),
        [
            (None, True),
            ("fallback_model_id: other-model", True),
            ("# why\nselection: auto # how\n", True),
            ("selection: auto\nfallback_model_id: other-model\n".encode("utf-16"), False),
            ("selection:\n  auto\nfallback_model_id: other-model\n", False),
            ("{selection: auto, fallback_model_id: other-model} # one line\n", False),
        ],
    )
    def test_other_keys_stay(self, models: ModelsFolder, old: str | bytes | None, kept: bool) -> None:
        """Whatever the form of the file; when it is rewritten, that is said."""
        path = models.root / "config.yaml"
        if old is not None:
            path.write_bytes(old.encode() if isinstance(old, str) else old)
        body = json.loads(raxe(models, "set-default", MODEL_ID, "--json").stdout)
        wanted = {"selection": "explicit", "explicit_model_id": MODEL_ID}
        after = SelectionConfig.model_validate({**(yaml.safe_load(old) if old else {}), **wanted})
        assert parse_config(path.read_bytes()) == after
        assert body.pop("kept_comments") is kept
        assert body == after.model_dump()

    @pytest.mark.parametrize("model_id", ["null", "100", "1.0", "yes", "1e5", "abc"])
    def test_an_id_stays_a_word(self, model_id: str) -> None:
        """Ids that YAML would read as something else are quoted."""
        store = FakeStore({"config.yaml": b"explicit_model_id: null # none\n"})
        assert set_default(store, model_id).kept_comments
        found = store.read("config.yaml")
        assert found is not None
        assert parse_config(found[0]).explicit_model_id == model_id
        assert b"# none" in found[0]

    def test_a_wrong_model_or_file_leaves_all_as_it_was(self, models: ModelsFolder) -> None:
        """An unknown model, and a file with an unknown key, are errors that write nothing."""
        assert raxe(models, "set-default", "nobody").exit_code == 2
        assert not (models.root / "config.yaml").exists()
        (models.root / "config.yaml").write_text("surprise: 1\n")
        result = raxe(models, "set-default", MODEL_ID)
        assert (result.exit_code, "surprise: is not a known field" in result.stderr) == (2, True)
        assert (models.root / "config.yaml").read_text() == "surprise: 1\n"

    def test_what_makes_it_of_no_use_is_a_warning(self, models: ModelsFolder) -> None:
        """A model that is not active, and a variable that wins."""
        add(models, "second", status="deprecated")
        result = raxe(models, "set-default", "second", RAXE_L2_MODEL=MODEL_ID)
        assert result.exit_code == 0
        assert result.stderr.splitlines() == [
            "warning: second is deprecated",
            "warning: RAXE_L2_MODEL is set and wins over config.yaml",
        ]


def comments(text: str) -> list[str]:
    """What stands behind each #."""
    return [line.partition("#")[2] for line in text.splitlines() if "#" in line]
