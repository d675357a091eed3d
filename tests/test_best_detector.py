"""``create_best_l2_detector`` and ``create_onnx_only_detector``: which one it is, and that it says so."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from raxe import StubL2Detector, create_best_l2_detector, create_onnx_only_detector
from raxe.detectors import OnnxDetector
from raxe.errors import DetectorFailed, InvalidInput, ModelError, ModelLoadFailed, ModelNotFound
from raxe.settings import Settings
from tests.factories import MODEL_ID, PLUGH, VOCABULARY, ZORKMID, ModelsFolder
from tests.onnx_graph import Array, Graph, Node

GONE = {"bundle_sha256": "sha256:" + "0" * 64}


OTHER = 3  # the logit of no attack, where the graph has one


def logits_onnx(width: int = 2, output: str = "logits", attack: float = 8) -> bytes:
    """A graph that gives the attack a logit of 8 where ZORKMID is in the window, of -8 where it is not."""
    table = np.full((len(VOCABULARY), width), OTHER, dtype=np.float32)
    table[:, -1] = -8
    table[VOCABULARY.index(ZORKMID), -1] = attack
    constants: Mapping[str, Array] = {"table": table}
    ids = (int, ["N", "T"])
    nodes = [
        Node("Gather", ["table", "input_ids"], "rows", {"axis": 0}),
        Node("ReduceMax", ["rows"], output, {"axes": [1], "keepdims": 0}),
    ]
    inputs = {"input_ids": ids, "attention_mask": ids, "token_type_ids": ids}
    return Graph(nodes, constants, inputs, {output: (float, ["N", width])}).to_bytes()


def plain(models: ModelsFolder, graph: bytes | None = None) -> Settings:
    """Settings that name a plain graph and the tiny tokenizer."""
    path = models.root.parent / "model.onnx"
    path.write_bytes(graph or logits_onnx())
    return replace(models.settings, onnx_model_path=path, onnx_tokenizer=models.path("tokenizer"))


def best(settings: Settings, **asked: object) -> tuple[str | None, list[tuple[str, str]]]:
    """The id of the best detector, and source and outcome of each step."""
    found = create_best_l2_detector(settings=settings, **asked)  # type: ignore[arg-type]
    info = found.model_info
    return (info.model_id if info else None), [(step.source, step.outcome.value) for step in found.steps]


def test_a_registered_model_comes_first(models: ModelsFolder) -> None:
    """By the selection of ``raxe models which``, or the best by criteria; both steps are told."""
    skipped = ("RAXE_L2_MODEL", "skipped")
    assert best(models.settings) == (MODEL_ID, [skipped, ("config.yaml: auto", "picked")])
    assert best(models.settings, criteria="latency") == (MODEL_ID, [("criteria: latency", "picked")])
    with pytest.raises(InvalidInput, match="latency, accuracy"):
        best(models.settings, criteria="speed")


@pytest.mark.parametrize("criteria", [None, "accuracy"])
def test_a_plain_graph_takes_the_place_of_a_broken_bundle(
    models: ModelsFolder, criteria: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """It scores; what failed before stands in the steps and in one warning."""
    models.edit_metadata(**GONE)
    found = create_best_l2_detector(criteria=criteria, settings=plain(models))
    assert isinstance(found, OnnxDetector)
    assert found.model_info.model_id == "onnx:model.onnx"
    assert [step.outcome.value for step in found.steps if step.outcome.value != "skipped"] == ["failed", "picked"]
    assert (found.analyze(f"a {ZORKMID}").score > 0.99, found.analyze("a door").score < 0.01) == (True, True)
    lines = [record for record in caplog.records if record.name == "raxe.bootstrap.best"]
    assert [line.levelno for line in lines] == [logging.WARNING]
    assert "failed: " in lines[0].getMessage()
    assert len(vars(lines[0])["steps"]) == len(found.steps)


def test_without_any_it_is_the_stub_that_says_so(models: ModelsFolder, caplog: pytest.LogCaptureFixture) -> None:
    """No model, no graph: rules only, with a warning; rules only on purpose: none."""
    models.edit_metadata(**GONE)
    found = create_best_l2_detector(settings=models.settings)
    assert isinstance(found, StubL2Detector)
    assert [step.source for step in found.steps][-2:] == ["ONNX_MODEL_PATH", "rules only"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert best(replace(models.settings, use_onnx_only=False)) == (None, [("USE_ONNX_ONLY", "picked")])


def test_a_plain_graph_can_come_first(models: ModelsFolder) -> None:
    """With ``prefer_onnx_only`` the registered model is the second choice, for a graph that is none too."""
    assert best(plain(models), prefer_onnx_only=True) == ("onnx:model.onnx", [("ONNX_MODEL_PATH", "picked")])
    encoder = plain(models, models.path("embeddings").read_bytes())
    steps = [("ONNX_MODEL_PATH", "failed"), ("RAXE_L2_MODEL", "skipped"), ("config.yaml: auto", "picked")]
    assert best(encoder, prefer_onnx_only=True) == (MODEL_ID, steps)
    without = replace(encoder, onnx_tokenizer=None)
    assert best(without, prefer_onnx_only=True)[1][0] == ("ONNX_TOKENIZER", "failed")


def test_steps_are_of_one_detector_alone(models: ModelsFolder) -> None:
    """The loaded model is shared, what was tried is not."""
    first = create_best_l2_detector(settings=models.settings)
    second = create_best_l2_detector(criteria="memory", settings=models.settings)
    assert [len(first.steps), len(second.steps)] == [2, 1]


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("tokenizer", ["file", "folder", "id"])
def test_a_plain_detector_scores(
    models: ModelsFolder, monkeypatch: pytest.MonkeyPatch, width: int, tokenizer: str
) -> None:
    """One logit or two; the tokenizer by file, by folder or by a model that has it; long texts in windows."""
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    graph = plain(models, logits_onnx(width)).onnx_model_path
    file = models.path("tokenizer")
    names: dict[str, Path | str] = {"file": file, "folder": file.parent, "id": MODEL_ID}
    found = create_onnx_only_detector(
        onnx_model_path=str(graph), tokenizer_name=names[tokenizer], confidence_threshold=0.7
    )
    assert found.threshold == 0.7
    result = found.analyze("word " * 2000 + ZORKMID)
    expected = 1 / (1 + np.exp(-(8 - (OTHER if width > 1 else 0))))
    assert result.score == pytest.approx(expected, abs=1e-5)
    assert (result.predictions, result.windows > 2) == ((), True)
    assert found.analyze(f"a {PLUGH}").score < 0.5


@pytest.mark.parametrize("graph", [logits_onnx(3), logits_onnx(output="other"), b"onnx"])
def test_a_graph_without_such_logits_is_refused(models: ModelsFolder, graph: bytes) -> None:
    """Three logits, no output of that name, no graph: none is loaded."""
    with pytest.raises(ModelLoadFailed):
        create_onnx_only_detector(plain(models, graph).onnx_model_path or "", models.path("tokenizer"))


def test_a_graph_that_gives_no_number_fails_the_scan(models: ModelsFolder) -> None:
    """An infinite logit is no score: it would pass every threshold, or none."""
    path = plain(models, logits_onnx(attack=np.inf)).onnx_model_path
    with pytest.raises(DetectorFailed, match="finite"):
        create_onnx_only_detector(path or "", models.path("tokenizer")).analyze(ZORKMID)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"onnx_model_path": "nowhere.onnx"}, ModelNotFound),
        ({"tokenizer_name": "nowhere.json"}, ModelNotFound),
        ({"tokenizer_name": "nobody"}, ModelNotFound),
        ({"confidence_threshold": float("nan")}, InvalidInput),
        ({"max_length": 2}, InvalidInput),
    ],
)
def test_wrong_arguments_are_typed_errors(
    models: ModelsFolder, arguments: dict[str, object], error: type[ModelError], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each names what is wrong; nothing is downloaded for a name that nobody has."""
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    given = {"onnx_model_path": plain(models).onnx_model_path, "tokenizer_name": models.path("tokenizer")}
    with pytest.raises(error):
        create_onnx_only_detector(**(given | arguments))  # type: ignore[arg-type]
