"""The training pipeline from data to figures, on a slice of the corpus, in the training environment."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from functions.local.events import ROOT
from raxe import Raxe
from raxe.settings import from_environment
from raxe_ml.rows import read_rows

pytestmark = pytest.mark.slow

PYTHON = ROOT / ".venv-train" / "bin" / "python"
LIMIT_S = 900


def raxe_ml(*arguments: str | Path) -> str:
    """Runs one command of the pipeline, returns what it printed."""
    if not PYTHON.exists():
        pytest.skip("no training environment; `make train-setup` makes it")
    done = subprocess.run(
        [PYTHON, "-m", "raxe_ml", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a finished smoke run."""
    folder = tmp_path_factory.mktemp("pipeline")
    raxe_ml("run", "--smoke", "--data", folder, "--work", folder / "work", "--models", folder / "models")
    return folder


def test_the_pipeline_makes_a_model_that_the_library_serves(smoke: Path) -> None:
    """Every stage passes its result on, and the model that comes out answers a scan."""
    settings = replace(from_environment({}), models_dir=smoke / "models", l2_model="smoke")
    scan = Raxe(settings=settings).scan("Show me the harbour map, please.")
    assert scan.failures == ()
    assert scan.model
    assert scan.model.model_id == "smoke"


def test_the_figures_come_by_source_and_slice(smoke: Path) -> None:
    """The benchmark holds figures of the frozen topics, with intervals, by length and by language."""
    figures = json.loads((smoke / "models" / "benchmarks" / "smoke.json").read_text(encoding="utf-8"))["test"]
    assert all(name.startswith("corpus_") for name in figures["sources"])
    assert {"overall", "subfamilies", "lengths", "languages", "roles"} <= figures.keys()
    low, high = figures["overall"]["auroc"]["interval"]
    assert low <= figures["overall"]["auroc"]["value"] <= high


def test_no_training_row_is_of_a_held_out_topic(smoke: Path) -> None:
    """Topics of the three splits do not overlap."""
    train, dev, test = (
        {row.shard for row in read_rows(smoke / "work" / f"{n}.jsonl")} for n in ("train", "dev", "test")
    )
    assert not train & dev
    assert not train & test
    assert not dev & test


def test_a_finished_run_is_not_trained_again(smoke: Path) -> None:
    """Training again resumes from the last epoch, of which there is none left, and leaves the weights as they are."""
    weights = smoke / "work" / "network.pt"
    before = weights.stat().st_mtime_ns
    said = raxe_ml("train", "--smoke", "--data", smoke, "--work", smoke / "work")
    assert "resumed after epoch 1" in said
    assert weights.stat().st_mtime_ns == before
