"""docs/registry.md holds: its Python runs, its commands are there, and so does its way to add a model."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import raxe
from functions.local.events import ROOT
from raxe.cli import app
from raxe.measuring import Measured
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder, metadata_of, write_models
from tests.s3 import new_bucket
from tests.test_best_detector import logits_onnx

PAGE = (ROOT / "docs" / "registry.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
NAMES = (
    "Raxe(l2_model=", ".scan(", "ModelRegistry(", ".list_models(", ".get_model(", ".get_best_model(criteria=",
    '.create_detector("', ".create_detector(criteria=", ".compare_models([", ".print_table()", ".validate_model(",
    ".reload()", ".analyze(", ".model_info", "create_onnx_only_detector(", "onnx_model_path=", "tokenizer_name=",
    "confidence_threshold=", "create_best_l2_detector(prefer_onnx_only=", "criteria=", "StubL2Detector",
    "ABModelSelector(", "split=", "user_hash_key=", ".select(", ".track_result(", ".get_report()",
)  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_the_python_of_the_page_runs(
    block: str, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it stands, with the shipped model, a bucket of that name and a plain graph of that name."""
    for name in ("RAXE_MODELS_DIR", "RAXE_MODELS_URL", "RAXE_L2_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    if "S3BundleStore" in block:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
        new_bucket(s3_endpoint, "my-bucket")
    if "guard/" in block:
        models = write_models(tmp_path / "models")
        (tmp_path / "guard").mkdir()
        (tmp_path / "guard" / "model.onnx").write_bytes(logits_onnx())
        models.path("tokenizer").rename(tmp_path / "guard" / "tokenizer.json")
    exec(compile(block, "docs/registry.md", "exec"), {})  # noqa: S102  (the page is our own)


def test_the_page_shows_each_programmatic_name() -> None:
    """What users of the first interface know, and what the library gives for it."""
    code = "\n".join(BLOCKS)
    assert [name for name in NAMES if name not in code] == []
    assert {"create_best_l2_detector", "create_onnx_only_detector", "StubL2Detector", "Raxe"} <= set(raxe.__all__)


def test_the_page_names_each_command_and_no_other() -> None:
    """In its blocks of commands; the two that print documents for developers stand in the text."""
    shown = set(re.findall(r"^raxe models ([a-z-]+)", PAGE, re.MULTILINE))
    there = set(re.findall(r"^  ([a-z-]+) ", models_help().partition("Commands:\n")[2], re.MULTILINE))
    assert shown == there - {"migrate", "schema", "template"}


def test_the_page_describes_each_field_of_a_measurement() -> None:
    """In the words of the schema."""
    for name, field in Measured.model_fields.items():
        assert f"| `{name}` | {field.description} |" in PAGE


def test_a_new_model_goes_from_drop_to_default(models: ModelsFolder, tmp_path: Path) -> None:
    """The steps of the page with a second model, and then it answers scans."""
    drop(models, tmp_path, "new-model")
    prompts = tmp_path / "rows.jsonl"
    prompts.write_text(
        "\n".join(json.dumps({"text": text, "label": label}) for text, label in ((f"a {ZORKMID}", 1), ("a door", 0)))
    )
    listed = json.loads(command(models, "models", "list", "--json").stdout)
    assert [model["model_id"] for model in listed] == ["new-model", MODEL_ID]
    assert command(models, "models", "validate", "new-model").exit_code == 0
    assert command(models, "models", "test", "new-model", "--prompts", str(prompts)).exit_code == 0
    both = command(models, "models", "compare", MODEL_ID, "new-model", "--prompts", str(prompts), "--json")
    assert [each["accuracy"]["recall"] for each in json.loads(both.stdout)["models"]] == [1.0, 1.0]
    assert serving(models) == MODEL_ID
    assert command(models, "models", "set-default", "new-model").exit_code == 0
    assert serving(models) == "new-model"
    answer = command(models, "scan", f"a {ZORKMID}", "--json")
    assert (answer.exit_code, json.loads(answer.stdout)["model"]["id"]) == (1, "new-model")


def serving(models: ModelsFolder) -> str:
    """The id that ``raxe models which`` names."""
    return str(json.loads(command(models, "models", "which", "--json").stdout)["model_id"])


def drop(models: ModelsFolder, tmp_path: Path, model_id: str) -> None:
    """Puts another model's own files and metadata into the folder."""
    other = write_models(tmp_path / "other")
    document = metadata_of(other) | {"model_id": model_id, "status": "experimental"}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    for kind in ("bundle", "embeddings", "tokenizer", "golden"):
        key = document["file_info"][kind].replace(MODEL_ID, model_id)
        target = models.root / key
        target.parent.mkdir(parents=True, exist_ok=True)
        other.path(kind).rename(target)
        document["file_info"][kind] = key
    (models.root / "metadata" / f"{model_id}.json").write_text(json.dumps(document))


def command(models: ModelsFolder, *arguments: str) -> Result:
    """What the command line does with the folder."""
    env = {"RAXE_MODELS_DIR": str(models.root), "COLUMNS": "80", "FORCE_COLOR": None}
    return CliRunner().invoke(app, arguments, env=env)


def models_help() -> str:
    """The list of commands."""
    return CliRunner().invoke(app, ["models", "--help"], env={"COLUMNS": "120"}).stdout
