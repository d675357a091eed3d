"""The two hooks put together: environment -> adapters -> checks -> CodeDeploy."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from raxe.adapters.release import CloudWatchAlarms, CodeDeployHooks, LambdaFunction
from raxe.bootstrap import ModelRegistry
from raxe.bootstrap.rollout import open_rollout
from raxe.errors import InvalidSettings, ModelNotFound
from raxe.registry import Metadata
from raxe.release.checks import Expected, check_live, check_version
from raxe.release.hooks import Finding, Outcome, run_hook
from raxe.release.probe import Probe
from raxe.rollout import parse_rollout
from raxe.settings import from_environment

_ANSWER_S = 110.0  # kept free: one last call with its tries, and the word to CodeDeploy with its own


def pre_traffic(event: Mapping[str, Any], environ: Mapping[str, str], remaining_s: float) -> Outcome:
    """What was found of the version ``RAXE_HOOK_VERSION`` (its ARN), after CodeDeploy was told.

    Args:
        event: CodeDeploy's.
        environ: the scan function's variables, and with them ``RAXE_HOOK_VERSION``, ``RAXE_HOOK_LATENCY_MS`` and
            ``RAXE_HOOK_MODELS``: ``packaged`` when the models at hand are the version's own, else ``any``.
        remaining_s: seconds that the hook has.

    Raises:
        InvalidEvent: the event is not CodeDeploy's.
        ServiceFailed: CodeDeploy could not be told.
    """
    deadline = time.monotonic() + remaining_s - _ANSWER_S

    def checks() -> Sequence[Finding]:
        arn = _needed(environ, "RAXE_HOOK_VERSION")
        return list(check_version(Probe(LambdaFunction(arn), deadline), _expected(environ)))

    return run_hook(event, checks, CodeDeployHooks())


def post_traffic(event: Mapping[str, Any], environ: Mapping[str, str], remaining_s: float) -> Outcome:
    """What was found of the alias after the shift: ``RAXE_HOOK_ALIAS``, ``RAXE_HOOK_HEALTH``, ``RAXE_HOOK_ALARMS``.

    Arguments and errors are those of ``pre_traffic``; alarms are names with commas between.
    """
    deadline = time.monotonic() + remaining_s - _ANSWER_S

    def checks() -> Sequence[Finding]:
        scan, health = (
            Probe(LambdaFunction(_needed(environ, name)), deadline) for name in ("RAXE_HOOK_ALIAS", "RAXE_HOOK_HEALTH")
        )
        names = _needed(environ, "RAXE_HOOK_ALARMS").split(",")
        version = _needed(environ, "RAXE_HOOK_VERSION").rpartition(":")[2]
        return check_live(scan, health, (CloudWatchAlarms(), names), Expected(version, None))

    return run_hook(event, checks, CodeDeployHooks())


def _expected(environ: Mapping[str, str]) -> Expected:
    """What the version should be, by the models that were deployed with it and the rollout document in force."""
    version = _needed(environ, "RAXE_HOOK_VERSION").rpartition(":")[2]
    latency_ms = float(environ.get("RAXE_HOOK_LATENCY_MS", "250"))
    settings = from_environment(environ)
    rollout = None
    if settings.rollout is not None:
        stored = open_rollout(settings.rollout).read()
        rollout = parse_rollout(stored.content, stored.version)
    if not settings.use_onnx_only or (rollout and not rollout.l2):
        return Expected(version, (), latency_ms=latency_ms)
    if environ.get("RAXE_HOOK_MODELS", "packaged") == "any":
        return Expected(version, None, latency_ms=latency_ms)
    registry = ModelRegistry(settings=settings)
    choice = registry.select(rollout=None if rollout is None else rollout.champion or "")
    if choice.model is None:
        raise choice.cause or ModelNotFound("the models that were deployed have none to serve")
    models = [choice.model]
    if rollout and rollout.challenger and rollout.challenger.buckets and not settings.l2_model:
        models.append(registry.get_model(rollout.challenger.model))
    ids = tuple((each.model_id, each.file_info.bundle_sha256) for each in models)
    return Expected(version, ids, _golden_scores(registry, choice.model), latency_ms)


def _golden_scores(registry: ModelRegistry, model: Metadata) -> tuple[tuple[str, float], ...]:
    """The texts that came with a model, and their scores; none where none came."""
    info = model.file_info
    if info.golden is None or info.golden_sha256 is None:
        return ()
    texts = json.loads(registry.files.fetch(info.golden, info.golden_sha256).read_text(encoding="utf-8"))["texts"]
    return tuple((str(each["text"]), float(each["score"])) for each in texts)


def _needed(environ: Mapping[str, str], name: str) -> str:
    if not (value := environ.get(name, "").strip()):
        raise InvalidSettings(f"{name} must be set")
    return value
