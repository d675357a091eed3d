"""The training pipeline from data to figures, on a slice of the corpus, in the training environment."""

import json
import shutil
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


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the interpreter of the training environment to its end."""
    if not PYTHON.exists():
        pytest.skip("no training environment; `make train-setup` makes it")
    return subprocess.run([PYTHON, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What it printed."""
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def raxe_ml(*arguments: str | Path) -> str:
    """Runs one command of the pipeline, returns what it printed."""
    return succeeded(run("-m", "raxe_ml", *arguments))


def refused(*arguments: str | Path) -> str:
    """Runs one command that must fail, returns what it said."""
    done = run("-m", "raxe_ml", *arguments)
    assert done.returncode != 0
    return done.stderr


def python(code: str, *arguments: str | Path) -> str:
    """Runs a few lines in the training environment, returns what they print."""
    return succeeded(run("-c", code, *arguments))


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a finished smoke run."""
    folder = tmp_path_factory.mktemp("pipeline")
    raxe_ml("run", "--smoke", "--data", folder / "shards", "--work", folder / "work", "--models", folder / "models")
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
    said = raxe_ml("train", "--smoke", "--data", smoke / "shards", "--work", smoke / "work")
    assert "resumed after epoch 1" in said
    assert weights.stat().st_mtime_ns == before


_SAME = """
import sys, torch
one, other = (torch.load(path, weights_only=True) for path in sys.argv[1:3])
far = float(sys.argv[3])
print(all(torch.allclose(each, other[part][name], rtol=0, atol=far)
          for part, of in one.items() for name, each in of.items()))
"""


def trained_again(smoke: Path, folder: Path, config: Path) -> Path:
    """Trains on the rows of the finished run, returns the weights."""
    folder.mkdir()
    for name in ("train", "dev", "test"):
        shutil.copy(smoke / "work" / f"{name}.jsonl", folder)
    raxe_ml("train", "--smoke", "--config", config, "--data", smoke / "shards", "--work", folder)
    return folder / "network.pt"


def test_the_same_seed_gives_the_same_weights_and_another_does_not(smoke: Path, tmp_path: Path) -> None:
    """To the last bit, on the same machine."""
    shipped, other = ROOT / "training" / "configs" / "minilm-l6.yaml", tmp_path / "other.yaml"
    other.write_text(f"extends: {shipped}\nseed: 1\n", encoding="utf-8")
    first = smoke / "work" / "network.pt"
    assert python(_SAME, first, trained_again(smoke, tmp_path / "again", shipped), "0") == "True\n"
    assert python(_SAME, first, trained_again(smoke, tmp_path / "else", other), "0") == "False\n"


def test_a_run_may_begin_with_the_weights_of_a_finished_one(smoke: Path, tmp_path: Path) -> None:
    """With steps of no length it ends where the finished one did."""
    config = tmp_path / "more.yaml"
    shipped = ROOT / "training" / "configs" / "minilm-l6.yaml"
    still = f"extends: {shipped}\nbegin: {smoke / 'work'}\nlearning_rate: 1.0e-12\nhead_learning_rate: 1.0e-12\n"
    config.write_text(still, encoding="utf-8")
    weights = trained_again(smoke, tmp_path / "more", config)
    assert python(_SAME, smoke / "work" / "network.pt", weights, "1e-6") == "True\n"


_TRIPLED = """
import sys, torch
state = torch.load(sys.argv[1], weights_only=True)
torch.save({part: {name: 3 * each for name, each in of.items()} for part, of in state.items()}, sys.argv[2])
"""
_TWICE = """
import sys, torch
one, mean = (torch.load(path, weights_only=True) for path in sys.argv[1:])
print(all(torch.allclose(2 * of[name].float(), mean[part][name]) for part, of in one.items() for name in of))
"""


def test_the_mean_of_two_runs_lies_between_them_and_keeps_the_rows(smoke: Path, tmp_path: Path) -> None:
    """Of a run and its threefold the mean is the double; the rows for the next stages are those of the last run."""
    one, other, mean = smoke / "work", tmp_path / "other", tmp_path / "mean"
    shutil.copytree(one, other)
    python(_TRIPLED, one / "network.pt", other / "network.pt")
    said = raxe_ml("average", "--of", one, "--of", other, "--work", mean)
    assert [line.split()[1] for line in said.splitlines()] == ["work", "other", "mean"]
    assert python(_TWICE, one / "network.pt", mean / "network.pt") == "True\n"
    assert (mean / "dev.jsonl").read_bytes() == (other / "dev.jsonl").read_bytes()


def test_a_run_that_learned_from_a_held_out_source_is_not_averaged(smoke: Path, tmp_path: Path) -> None:
    """The source is named, and no weights are written."""
    other, mean = tmp_path / "other", tmp_path / "mean"
    shutil.copytree(smoke / "work", other)
    with (other / "train.jsonl").open("a", encoding="utf-8") as file:
        file.write((other / "test.jsonl").read_text(encoding="utf-8").splitlines()[0] + "\n")
    source = read_rows(other / "test.jsonl")[0].shard
    said = refused("average", "--of", other, "--of", smoke / "work", "--work", mean)
    assert f"other learned from {source}, held out in work" in said
    assert not mean.exists()


_LARGEST_WEIGHT = """
import sys, onnx
from onnx import numpy_helper
graph = onnx.load(sys.argv[1]).graph
products = [node for node in graph.node if node.op_type in ("MatMulInteger", "QAttention")]
assert products
read = {name for node in products for name in node.input}
print(max(int(abs(numpy_helper.to_array(each).astype(int)).max()) for each in graph.initializer
          if each.name in read and each.data_type == onnx.TensorProto.INT8))
"""


@pytest.mark.parametrize(
    "path", sorted((ROOT / "models" / "embeddings").glob("*/encoder.onnx")), ids=lambda p: p.parent.name
)
def test_a_shipped_encoder_computes_the_same_without_vnni(path: Path) -> None:
    """AVX2 adds two products of 8 bits in 16: what they come to at most fits, whatever a text holds."""
    largest = int(python(_LARGEST_WEIGHT, path))
    assert 2 * 255 * largest <= 2**15 - 1
