"""Structured logs and EMF metrics, made once. Neither ever carries text: figures, names and ids only."""

import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from raxe.api.emf import VersionedMetrics
from raxe.errors import RaxeError
from raxe.registry import Choice, Outcome
from raxe.shadow import Shadowed
from raxe.values import CHALLENGER, Scan

if TYPE_CHECKING:  # only a process with a rollout document pays for it
    from raxe.bootstrap.rollout import RolloutEvent

# Service and namespace are the deployment's: stages do not mix. No tracebacks: one can quote what was worked on.
logger = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "raxe"), log_uncaught_exceptions=False)
metrics = Metrics(
    provider=VersionedMetrics(
        namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "RAXE"),
        service=os.environ.get("POWERTOOLS_SERVICE_NAME", "raxe"),
    )
)

_MB = 1_000_000
_LAYERS = {"l1", "l2"}  # stages of failures that a verdict hangs on
_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024  # unit of ru_maxrss


def memory_mb() -> float:
    """Most memory the process has held so far, in units of 1,000,000 bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES / _MB


def record(scans: Sequence[Scan]) -> None:
    """Counts and logs the scans of one request.

    Latencies are the request's and counted once: its scans share model calls, so each carries the times of all.
    """
    if scans:
        _measure_latency(scans[0])
    for scan in scans:
        _measure_verdict(scan)
        _measure_arm(scan)
        logger.info("scan", extra=_line(scan))
    _measure_arm_latency(scans)
    metrics.add_metric("MemoryUsed", MetricUnit.Megabytes, memory_mb())


def _line(scan: Scan) -> dict[str, object]:
    from raxe.classifier import sessions_built  # noqa: PLC0415  (onnxruntime, which not every function has loaded)

    verdict = scan.verdict
    return {
        "verdict": verdict.decision,
        "family": verdict.family,
        "subfamily": verdict.subfamily,
        "severity": verdict.severity,
        "score": round(verdict.score, 4),
        "rules": [detection.rule_id for detection in scan.l1.detections],
        "l2_score": round(scan.l2.score, 4),
        "characters": scan.coverage.characters,
        "windows": scan.coverage.windows,
        "duration_ms": round(scan.duration_ms, 3),
        "model": scan.model.model_id if scan.model else None,
        "arm": scan.assignment.arm,
        "rollout": scan.assignment.rollout.version if scan.assignment.rollout else None,
        "failures": [f"{failure.stage}:{failure.error}" for failure in scan.failures],
        "sessions_built": sessions_built(),
    }


def _measure_latency(scan: Scan) -> None:
    stages = scan.l2.stages
    for name, value in (
        ("ScanLatency", scan.duration_ms),
        ("L1Latency", scan.l1.duration_ms),
        ("L2Latency", scan.l2.duration_ms),
        ("TokenizeLatency", stages.tokenize_ms),
        ("EncodeLatency", stages.encode_ms),
        ("ClassifyLatency", stages.classify_ms),
    ):
        metrics.add_metric(name, MetricUnit.Milliseconds, value)


def _measure_verdict(scan: Scan) -> None:
    decision, family = scan.verdict.decision, scan.verdict.family
    # Verdict and family are part of the name, not dimensions: CloudWatch bills each value of a dimension as a metric.
    metrics.add_metric(f"Verdict{decision.capitalize()}", MetricUnit.Count, 1)
    if family is not None:
        metrics.add_metric(f"Verdict{decision.capitalize()}{family}", MetricUnit.Count, 1)
    metrics.add_metric("Confidence", MetricUnit.NoUnit, scan.l2.highest_confidence)
    metrics.add_metric("WindowCount", MetricUnit.Count, scan.coverage.windows)
    metrics.add_metric("Flagged", MetricUnit.Count, int(scan.is_attack))
    # Where the champion answered for its challenger both layers did; that is the challenger's failure, no version's.
    degraded = any(failure.stage != CHALLENGER for failure in scan.failures)
    metrics.add_metric("DegradedScans", MetricUnit.Count, int(degraded))
    if not scan.failures and scan.model is not None:
        metrics.add_metric("L1L2Agreement", MetricUnit.Count, int(scan.verdict.layers_agree))


def _measure_arm(scan: Scan) -> None:
    """Counts a scan to the arm it was given to: all to ``Scans``, and to ``Failed`` those that this arm did not answer.

    A scan that another arm answered in its place counts nowhere else, so that no arm's figures hold another's.
    """
    given, taken = scan.assignment.wanted, scan.assignment.arm
    failed = given != taken or any(failure.stage in _LAYERS for failure in scan.failures)
    metrics.add_metric(f"Scans{given.capitalize()}", MetricUnit.Count, 1)
    metrics.add_metric(f"Failed{given.capitalize()}", MetricUnit.Count, int(failed))
    if given == taken:
        metrics.add_metric(f"Flagged{given.capitalize()}", MetricUnit.Count, int(scan.is_attack))


def _measure_arm_latency(scans: Sequence[Scan]) -> None:
    """Counts the latency of the request once, unless two arms share it: then it is neither's.

    They do when one answered in the other's place: a challenger that raised took its time first.
    """
    arms = {arm for scan in scans for arm in (scan.assignment.arm, scan.assignment.wanted)}
    if len(arms) == 1:
        metrics.add_metric(f"Latency{arms.pop().capitalize()}", MetricUnit.Milliseconds, scans[0].duration_ms)


def record_shadow(found: Sequence[Shadowed]) -> None:
    """Counts what the shadow made of a request; its time is counted once."""
    if found:
        metrics.add_metric("ShadowLatency", MetricUnit.Milliseconds, found[0].duration_ms)
    for each in found:
        metrics.add_metric("ShadowScans", MetricUnit.Count, 1)
        metrics.add_metric("ShadowFailed", MetricUnit.Count, int(each.error is not None))
        if each.error is None:
            metrics.add_metric("ShadowDisagreement", MetricUnit.Count, int(each.disagrees))
            metrics.add_metric("ShadowScoreDifference", MetricUnit.NoUnit, each.difference)
        else:
            logger.warning("shadow failed", extra={"error": each.error})


def record_rollout(events: Sequence["RolloutEvent"]) -> None:
    """Logs which document came into force, and counts and logs why one did not, or an arm is missing."""
    for event in events:
        line: dict[str, object] = {"version": event.version, "digest": event.digest}
        if event.error is None:
            logger.info("rollout in force", extra=line)
            continue
        line |= {"error": type(event.error).__name__, "reason": str(event.error), "arm": event.arm}
        metrics.add_metric("RolloutFallback", MetricUnit.Count, 1)
        logger.error("rollout fallback", extra=line)


def record_health(status: str) -> None:
    """Counts a health check: one of the three states is 1, the others 0, so that an alarm can watch any of them."""
    for state in ("healthy", "degraded", "unhealthy"):
        metrics.add_metric(f"Health{state.capitalize()}", MetricUnit.Count, int(state == status))


def record_problem(status: int, fields: Sequence[str], error: Exception) -> None:
    """Counts and logs a request that got no result: status, fields, class of the error, never its message."""
    metrics.add_metric("ServerErrors" if status >= 500 else "BadRequests", MetricUnit.Count, 1)
    place = ""
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    level = logger.error if status >= 500 else logger.info
    level("problem", extra={"status": status, "fields": list(fields), "error": type(error).__name__, "place": place})


def record_start(cause: RaxeError | None, choice: Choice) -> None:
    """Logs at the start which model was picked, and why, and that it is missing; reasons never carry a text."""
    if choice.steps:
        model_id = choice.model.model_id if choice.model else None
        steps = [asdict(step) for step in choice.steps]
        level = logger.warning if any(step.outcome is Outcome.FAILED for step in choice.steps) else logger.info
        level("model selected", extra={"model_id": model_id, "steps": steps})
    if cause is not None:
        logger.error("model not loaded", extra={"error": type(cause).__name__, "reason": str(cause)})


def record_catalog(age_s: float, broken: int, error: RaxeError | None) -> None:
    """Counts how old the catalog that answers is, and logs why it is not the store's of now."""
    metrics.add_metric("CatalogAge", MetricUnit.Seconds, age_s)
    metrics.add_metric("CatalogStale", MetricUnit.Count, int(error is not None))
    metrics.add_metric("BrokenModels", MetricUnit.Count, broken)
    if error is not None:
        extra = {"error": type(error).__name__, "reason": str(error), "age_s": round(age_s)}
        logger.warning("catalog is stale", extra=extra)


def record_lost(answers: int) -> None:
    """Counts answers that a store of experiments did not take."""
    metrics.add_metric("ExperimentAnswersLost", MetricUnit.Count, answers)
    logger.error("experiment store failed", extra={"lost": answers})


def record_feedback(outcome: str) -> None:
    """Counts a label: ``counted``, ``moved`` or ``unchanged``."""
    metrics.add_metric(f"Feedback{outcome.capitalize()}", MetricUnit.Count, 1)


def record_report() -> None:
    """Counts a report of an experiment that was read."""
    metrics.add_metric("ExperimentReports", MetricUnit.Count, 1)
