"""The best L2 that there is: a registered model, else a plain ONNX graph, else none; each step is told."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from raxe.bootstrap.choosing import pick
from raxe.bootstrap.loading import load_plain
from raxe.bootstrap.models import ModelRegistry
from raxe.detectors import OnnxDetector, StubDetector
from raxe.errors import InvalidInput, RaxeError
from raxe.registry import Outcome, Step
from raxe.settings import Settings, from_environment

_LEAST_LENGTH, _MAX_LENGTH = 8, 512  # tokens of a window with the special ones; most encoders have 512 places
_GRAPH, _TOKENIZER = "ONNX_MODEL_PATH", "ONNX_TOKENIZER"
_Tried = tuple[OnnxDetector | None, tuple[Step, ...]]

logger = logging.getLogger(__name__)


def create_best_l2_detector(
    prefer_onnx_only: bool = False, criteria: str | None = None, *, settings: Settings | None = None
) -> OnnxDetector | StubDetector:
    """The first of these that loads: a registered model, a plain ONNX graph, the stub that finds nothing.

    The registered model is the best active one by ``criteria``, without them the one that ``raxe models which`` shows.
    The plain graph is that of ``ONNX_MODEL_PATH``; ``prefer_onnx_only`` tries it first. ``steps`` of the detector, and
    the log, tell what was tried and what came of it; a step that failed makes it a warning.

    Raises:
        InvalidSettings: a variable has a wrong value.
        InvalidInput: there is no such criterion.
    """
    settings = settings or from_environment()
    if not settings.use_onnx_only:
        return _stub([Step("USE_ONNX_ONLY", Outcome.PICKED, "is false: the rules alone")])
    steps: list[Step] = []
    for plain in (True, False) if prefer_onnx_only else (False, True):
        detector, tried = _plain(settings) if plain else _registered(settings, criteria)
        steps += tried
        if detector is not None:
            _log(steps)
            return detector.with_steps(steps)
    return _stub([*steps, Step("rules only", Outcome.PICKED, "no model can serve")])


def create_onnx_only_detector(
    onnx_model_path: Path | str,
    tokenizer_name: Path | str,
    confidence_threshold: float | None = None,
    *,
    max_length: int = _MAX_LENGTH,
) -> OnnxDetector:
    """The detector of an ONNX graph that gives logits by itself, without a bundle.

    The graph takes ``input_ids`` and ``attention_mask`` and gives ``logits``, ``(N, 2)`` or ``(N, 1)``, the last one
    the attack's. Texts longer than ``max_length`` tokens are read in windows that overlap. Its results have a score
    and no families.

    Args:
        onnx_model_path: the graph.
        tokenizer_name: a tokenizer.json, or a folder with one, or the id of a registered model whose tokenizer it
            shares. Nothing is downloaded.
        confidence_threshold: what ``detector.threshold`` says, in [0, 1]; ONNX_CONFIDENCE_THRESHOLD, else 0.5.
        max_length: tokens that the graph has places for, at least 8.

    Raises:
        ModelError: a file is missing, or the runtime refuses it, or it gives no such logits.
        InvalidInput: the threshold or the length is out of its range.
    """
    if confidence_threshold is not None and not 0 <= confidence_threshold <= 1:
        raise InvalidInput("must be a number from 0 to 1", field="confidence_threshold")
    if max_length < _LEAST_LENGTH:
        raise InvalidInput(f"must be at least {_LEAST_LENGTH}", field="max_length")
    settings = from_environment()
    if confidence_threshold is not None:
        settings = replace(settings, onnx_confidence_threshold=confidence_threshold)
    return load_plain(Path(onnx_model_path), _tokenizer(tokenizer_name, settings), settings, max_length)


def _tokenizer(name: Path | str, settings: Settings) -> Path:
    path = Path(name)
    if path.is_dir():
        return path / "tokenizer.json"
    if path.is_file() or path.suffix == ".json":
        return path
    registry = ModelRegistry(settings=settings)
    info = registry.get_model(str(name)).file_info
    return registry.files.fetch(info.tokenizer, info.tokenizer_sha256)


def _registered(settings: Settings, criteria: str | None) -> _Tried:
    if criteria is None:
        loaded, choice = pick(settings)
        return (loaded.detector, choice.steps) if loaded else (None, choice.steps[:-1] or choice.steps)
    try:
        registry = ModelRegistry(settings=settings)
        model = registry.get_best_model(criteria)
        detector = registry.load(model).detector
    except InvalidInput:
        raise
    except RaxeError as error:
        return None, (Step(f"criteria: {criteria}", Outcome.FAILED, _words(error)),)
    reason = f"the best active model by {criteria}"
    return detector, (Step(f"criteria: {criteria}", Outcome.PICKED, reason, model.model_id),)


def _plain(settings: Settings) -> _Tried:
    graph, tokenizer = settings.onnx_model_path, settings.onnx_tokenizer
    if graph is None:
        return None, (Step(_GRAPH, Outcome.SKIPPED, "is not set"),)
    if tokenizer is None:
        return None, (Step(_TOKENIZER, Outcome.FAILED, "is not set"),)
    try:
        detector = load_plain(graph, tokenizer, settings, _MAX_LENGTH)
    except RaxeError as error:
        return None, (Step(_GRAPH, Outcome.FAILED, _words(error)),)
    return detector, (Step(_GRAPH, Outcome.PICKED, "a plain graph with logits", detector.model_info.model_id),)


def _stub(steps: Sequence[Step]) -> StubDetector:
    _log(steps)
    return StubDetector(steps)


def _log(steps: Sequence[Step]) -> None:
    """One line with every step: a warning when one failed."""
    failed = any(step.outcome is Outcome.FAILED for step in steps)
    words = "; ".join(f"{step.source} {step.outcome.value}: {step.reason}" for step in steps)
    logger.log(
        logging.WARNING if failed else logging.INFO,
        "L2 detector: %s",
        words,
        extra={"steps": [asdict(step) for step in steps]},
    )


def _words(error: RaxeError) -> str:
    return f"{type(error).__name__}: {error}"
