"""What a version must get right before traffic reaches it, and after all of it did."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from raxe.protocols import Alarms
from raxe.release.golden import ATTACKS, BENIGN
from raxe.release.hooks import Finding
from raxe.release.probe import Answer, Probe

TOLERANCE = 0.05  # between processors golden scores differ by rounding; a wrong kernel or file moves one by far more
_WARM_UPS = 3
_TIMED = 12
_ALLOW = "allow"
_FINE = {"ok", "off"}


@dataclass(frozen=True, slots=True)
class Expected:
    """What the version should be.

    Attributes:
        version: number of the version that must answer.
        models: id and digest of each model that may answer; empty for the rules alone; None leaves it open.
        scores: texts with the score that the first of the models gave when it was made.
        latency_ms: most that the median of short scans may take, once warm.
    """

    version: str
    models: tuple[tuple[str, str], ...] | None
    scores: tuple[tuple[str, float], ...] = ()
    latency_ms: float = 250.0


def check_version(probe: Probe, expected: Expected) -> Iterator[Finding]:
    """The findings on a version that no caller has reached yet.

    The first scans are a cold start's and are not looked at, but for that they must answer.
    """
    for _ in range(_WARM_UPS):
        probe.scan(BENIGN[0])
    answers = [probe.scan(text) for text in (*ATTACKS, *BENIGN)]
    yield from _golden(answers)
    yield _failures(answers)
    yield _version(answers, expected)
    yield _model(answers, expected)
    yield from _scores(probe, expected, answers[0])
    yield _latency(probe, expected)
    yield _refusal(probe)


def check_live(probe: Probe, health: Probe, alarms: tuple[Alarms, Sequence[str]], expected: Expected) -> list[Finding]:
    """The findings on the alias that now sends all traffic to the new version."""
    answers = [probe.scan(text) for text in (*ATTACKS, *BENIGN)]
    reader, names = alarms
    raised = reader.raised(names)
    return [
        *_golden(answers),
        _failures(answers),
        _version(answers, expected),
        _health(health),
        Finding("alarms", not raised, ", ".join(raised)),
    ]


def _golden(answers: Sequence[Answer]) -> Iterator[Finding]:
    verdicts = [answer.verdict for answer in answers]
    missed = [f"{i}" for i, verdict in enumerate(verdicts[: len(ATTACKS)]) if verdict == _ALLOW]
    flagged = [f"{i} {verdict}" for i, verdict in enumerate(verdicts[len(ATTACKS) :]) if verdict != _ALLOW]
    yield Finding("golden attacks", not missed, f"allowed: {', '.join(missed)}" if missed else f"{len(ATTACKS)} found")
    detail = f"flagged: {', '.join(flagged)}" if flagged else f"{len(BENIGN)} allowed"
    yield Finding("golden benign texts", not flagged, detail)


def _failures(answers: Sequence[Answer]) -> Finding:
    failures = sorted({failure for answer in answers for failure in answer.failures})
    return Finding("no layer fails", not failures, ", ".join(failures))


def _version(answers: Sequence[Answer], expected: Expected) -> Finding:
    versions = sorted({answer.version for answer in answers})
    return Finding("version", versions == [expected.version], f"{', '.join(versions)} for {expected.version}")


def _model(answers: Sequence[Answer], expected: Expected) -> Finding:
    if expected.models is None:
        return Finding("model", all(answer.model for answer in answers), "any")
    found = {answer.model for answer in answers}
    wrong = sorted("rules alone" if each is None else f"{each[0]} {each[1]}" for each in found - _allowed(expected))
    return Finding("model", not wrong, ", ".join(wrong))


def _allowed(expected: Expected) -> set[tuple[str, str] | None]:
    return set(expected.models or ()) or {None}


def _scores(probe: Probe, expected: Expected, first: Answer) -> Iterator[Finding]:
    """The model's own golden texts; only where the model that they are of is the one that answers."""
    if not expected.scores or not expected.models or first.model != expected.models[0]:
        return
    differences = []
    for text, score in expected.scores:
        found = probe.scan(text, explain=True).l2_score
        differences.append(1.0 if found is None else abs(found - score))
    worst = max(differences)
    yield Finding("golden scores", worst <= TOLERANCE, f"differ by {worst:.3f}, at most {TOLERANCE:g}")


def _latency(probe: Probe, expected: Expected) -> Finding:
    median = statistics.median(probe.scan(BENIGN[i % len(BENIGN)]).duration_ms for i in range(_TIMED))
    return Finding("latency", median <= expected.latency_ms, f"{median:.1f} ms, at most {expected.latency_ms:g}")


def _refusal(probe: Probe) -> Finding:
    status = probe.call("POST", "/v1/scan", "{").answer.get("statusCode")
    return Finding("a bad body is refused", status == 400, f"status {status}")


def _health(health: Probe) -> Finding:
    """The health function's deep look; slow is left to the alarms, a model that is missing is not."""
    called = health.call("GET", "/v1/health", query={"depth": "deep"})
    try:
        body = json.loads(called.answer["body"])
        status, model = str(body["status"]), str(body["checks"]["model"])
    except (KeyError, TypeError, ValueError) as error:
        return Finding("health", passed=False, detail=type(error).__name__)
    return Finding("health", status != "unhealthy" and model in _FINE, f"{status}, model {model}")
