"""Which model serves, and why: the order, the fallback, and what a wrong ``config.yaml`` says."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner, Result

from functions.local.events import ROOT
from raxe.api.routes import scan_router
from raxe.bootstrap import ModelRegistry, build_engine, pick
from raxe.cli import app
from raxe.errors import InvalidMetadata, ModelLoadFailed, StoreUnavailable
from raxe.registry import SelectionConfig, read_config
from raxe.registry.selection import parse_config
from raxe.settings import Settings
from tests.factories import MODEL_ID, ModelsFolder, metadata_of
from tests.fakes import FakeStore

EXPLICIT = "selection: explicit\nexplicit_model_id: {}\n"
FIGURES = dict.fromkeys(("recall", "fpr", "precision", "f1", "balanced_accuracy", "auroc"), 0.5)
SPEED = dict.fromkeys(("latency_p50_ms", "latency_p95_ms", "latency_p99_ms"), 1.25)


def add(models: ModelsFolder, model_id: str, **changed: object) -> None:
    """Drops metadata of a variant that shares all files of the tiny model."""
    document = metadata_of(models) | {"model_id": model_id, **changed}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name(f"{model_id}.json").write_text(json.dumps(document))


def config(models: ModelsFolder, text: str) -> None:
    """Writes the selection of a folder."""
    (models.root / "config.yaml").write_text(text)


def picked(models: ModelsFolder, l2_model: str | None = None) -> tuple[str | None, list[tuple[str, str]]]:
    """The id that serves, and source and outcome of each step."""
    choice = pick(replace(models.settings, l2_model=l2_model))[1]
    steps = [(step.source, step.outcome.value) for step in choice.steps]
    return (choice.model.model_id if choice.model else None), steps


def which(models: ModelsFolder, *arguments: str, **variables: str) -> Result:
    """What ``raxe models which`` does with the folder."""
    env = {"RAXE_MODELS_DIR": str(models.root), "COLUMNS": "80", "FORCE_COLOR": None, **variables}
    return CliRunner().invoke(app, ["models", "which", *arguments], env=env)


def test_the_variable_wins_over_the_file(models: ModelsFolder) -> None:
    """Without the variable the file decides, without the file the best active model."""
    add(models, "second", status="experimental")
    assert picked(models) == (MODEL_ID, [("RAXE_L2_MODEL", "skipped"), ("config.yaml: auto", "picked")])
    config(models, EXPLICIT.format("second"))
    assert picked(models) == ("second", [("RAXE_L2_MODEL", "skipped"), ("config.yaml: explicit", "picked")])
    assert picked(models, MODEL_ID) == (MODEL_ID, [("RAXE_L2_MODEL", "picked")])


def test_benchmark_looks_at_measured_models_alone(models: ModelsFolder) -> None:
    """``auto`` by memory takes what was never measured, ``benchmark`` does not."""
    add(models, "measured", performance=SPEED, accuracy={"rows": 1, **FIGURES})
    add(models, "a-small-one", file_info=metadata_of(models)["file_info"] | {"size_mb": 0.0001})
    found = []
    for selection in ("auto", "benchmark"):
        config(models, f"selection: {selection}\nauto_criteria: memory\n")
        found.append(picked(models)[0])
    assert found == ["a-small-one", "measured"]


def test_the_criteria_of_the_environment_win(models: ModelsFolder) -> None:
    """RAXE_L2_MODEL_CRITERIA replaces ``auto_criteria``."""
    add(models, "measured", performance=SPEED)
    add(models, "a-small-one", file_info=metadata_of(models)["file_info"] | {"size_mb": 0.0001})
    config(models, "auto_criteria: memory\n")
    settings = replace(models.settings, l2_model_criteria="latency")
    chosen = [ModelRegistry(settings=each).select().model for each in (models.settings, settings)]
    assert [model.model_id for model in chosen if model] == ["a-small-one", "measured"]


@pytest.mark.parametrize("named", ["nobody", "second"])
def test_the_fallback_serves_when_the_named_model_cannot(models: ModelsFolder, named: str) -> None:
    """Whether it is missing or cannot be loaded, by file or by variable; the engine is whole and says what it did."""
    broken = metadata_of(models) | {"model_id": "second"}
    broken["file_info"]["embeddings_sha256"] = "sha256:" + "0" * 64
    models.metadata.with_name("second.json").write_text(json.dumps(broken))
    config(models, EXPLICIT.format(named) + f"fallback_model_id: {MODEL_ID}\n")
    engine = build_engine(models.settings)
    outcomes = [step.outcome.value for step in engine.choice.steps]
    assert (engine.cause, outcomes) == (None, ["skipped", "failed", "picked"])
    assert engine.model_info
    assert engine.model_info.model_id == MODEL_ID
    assert picked(models, named)[0] == MODEL_ID


def test_no_other_model_takes_the_place_of_one_that_is_named(models: ModelsFolder) -> None:
    """Without a fallback the rules go on alone, for the reason that the first step had."""
    config(models, EXPLICIT.format("nobody"))
    assert build_engine(models.settings).broken == "ModelNotFound"
    assert picked(models, "nobody")[1][-1] == ("rules only", "picked")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("selektion: auto", "selektion: is not a known field"),
        ("selection: best", "selection: "),
        ("auto_criteria: [latency, secret]", "auto_criteria: "),
        ("selection: explicit", "selection: explicit needs explicit_model_id"),
        ("- auto", "file: "), ("{", "file: "), ("\0", "file: "), ("a: &a [*a]", "a: is not"), ("#" * 70_000, "larger"),
    ],
)  # fmt: skip
def test_a_wrong_file_names_its_field_and_nothing_is_guessed(models: ModelsFolder, text: str, words: str) -> None:
    """The path is in the message, the value is not; the rules go on alone unless the variable names a model."""
    with pytest.raises(InvalidMetadata) as caught:
        parse_config(text.encode())
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    config(models, text)
    assert build_engine(models.settings).broken == "InvalidMetadata"
    assert picked(models, MODEL_ID)[0] == MODEL_ID


def test_a_store_that_does_not_answer_is_a_step(models: ModelsFolder) -> None:
    """A file that cannot be read is not taken for one that is not there."""
    registry = ModelRegistry(store := FakeStore({}), settings=models.settings)
    store.failing = StoreUnavailable("config.yaml: S3 answered 503")
    assert isinstance(registry.select().cause, StoreUnavailable)


def test_the_shipped_file_names_every_key_and_chooses_between_the_shipped_models() -> None:
    """A reader sees all keys; the most accurate model serves, the smaller one when that cannot be loaded."""
    shipped = parse_config((ROOT / "models" / "config.yaml").read_bytes())
    chosen = {"auto_criteria": "accuracy", "fallback_model_id": "raxe-minilm-l3-v1"}
    assert shipped.model_dump() == SelectionConfig().model_dump() | chosen
    registry = ModelRegistry(settings=Settings())
    choice = registry.select()
    assert choice.model is not None
    assert choice.model.model_id == "raxe-minilm-l6-v1"
    fallen = registry.select({choice.model.model_id: ModelLoadFailed("damaged")})
    assert fallen.model is not None
    assert fallen.model.model_id == shipped.fallback_model_id
    assert shipped.model_fields_set == set(SelectionConfig.model_fields)
    assert read_config(FakeStore({})) == SelectionConfig()


def test_which_shows_the_steps(models: ModelsFolder) -> None:
    """A line a step within 80 columns, the same as JSON; exit code 1 when the model that should serve cannot."""
    config(models, f"fallback_model_id: {MODEL_ID}\n")
    result = which(models, RAXE_L2_MODEL="nobody")
    assert result.exit_code == 0
    assert MODEL_ID in result.stdout.splitlines()[0]
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    body = json.loads(which(models, "--json").stdout)
    assert (body["model_id"], body["steps"][1]["outcome"]) == (MODEL_ID, "picked")
    config(models, "selection: 1")
    assert which(models).exit_code == 1
    assert json.loads(which(models, "--json", USE_ONNX_ONLY="false").stdout)["steps"][0]["source"] == "USE_ONNX_ONLY"


def test_a_start_logs_the_steps_once(models: ModelsFolder, caplog: pytest.LogCaptureFixture) -> None:
    """The scan routes say which model was picked and why, in one line."""
    scan_router(build_engine(models.settings))
    lines = [vars(record) for record in caplog.records if record.getMessage() == "model selected"]
    assert [line["model_id"] for line in lines] == [MODEL_ID]
    assert [step["outcome"] for step in lines[0]["steps"]] == ["skipped", "picked"]
