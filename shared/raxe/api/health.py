"""Health of a process: alive, ready, or proven by re-scoring the golden texts that came with the model."""

import statistics
from typing import Literal

from raxe import __version__
from raxe.api.responses import HealthResponse
from raxe.bootstrap import Engine, Golden
from raxe.bootstrap.golden import GOLDEN_TOLERANCE
from raxe.classifier import sessions_built
from raxe.errors import RaxeError
from raxe.report import ModelBody
from raxe.values import Source

SLOW_MS = 50.0  # a short scan that takes longer is degraded
_FINE = {"ok", "off", "none"}
_TIMED_SCANS = 5
_TIMED_TEXT = "Could you check the opening hours of the town library for me?"


class HealthService:
    """The health route without its transport."""

    def __init__(self, engine: Engine) -> None:
        """Takes the engine to look at."""
        self._engine = engine

    def check(self, depth: str) -> HealthResponse:
        """The state at ``live``, ``ready`` or ``deep``.

        Degraded: a model that should be there is not, the rollout document cannot be had or taken, or a short scan
        takes more than 50 ms. Unhealthy: a golden text does not score as it did when the model was made, or scanning
        fails.
        """
        if depth == "live":
            return HealthResponse(status="healthy", depth="live", version=__version__)
        serving = self._engine.serving()
        checks = {"model": self._engine.broken or ("ok" if self._engine.model_info else "off")}
        if self._engine.rollout is not None:
            error = self._engine.rollout.error
            checks["rollout"] = type(error).__name__ if error else "ok"
            checks |= {arm: type(why).__name__ for arm, why in serving.missing.items()}
        latency_ms, failure = self._timed()
        if failure and not self._engine.broken:
            checks["scan"] = failure
        checks["latency"] = "ok" if latency_ms <= SLOW_MS else f"over {SLOW_MS:.0f} ms"
        golden, info = serving.golden, self._engine.model_info
        if depth == "deep" and info is not None:
            checks["golden"] = _compare(golden) if golden else "none"
        return HealthResponse(
            status=_status(checks),
            depth="deep" if depth == "deep" else "ready",
            version=__version__,
            model=ModelBody(id=info.model_id, digest=info.digest, arm=info.arm) if info else None,
            rules=self._engine.rule_count,
            sessions_built=sessions_built(),
            latency_ms=round(latency_ms, 3),
            checks=checks,
        )

    def _timed(self) -> tuple[float, str | None]:
        """Median duration of a few scans in milliseconds, and the failure of the last one."""
        scans = [self._engine.scan_text(_TIMED_TEXT, Source.USER) for _ in range(_TIMED_SCANS)]
        failures = [
            f"{failure.stage} failed: {failure.error}" for failure in scans[-1].failures if failure.stage != "rollout"
        ]
        return statistics.median(scan.duration_ms for scan in scans), next(iter(failures), None)


def _compare(golden: Golden) -> str:
    try:
        worst = golden.worst_difference()
    except RaxeError as error:
        return type(error).__name__
    return "ok" if worst <= GOLDEN_TOLERANCE else f"differs by {worst:.3f}"


def _status(checks: dict[str, str]) -> Literal["healthy", "degraded", "unhealthy"]:
    if checks.get("golden", "ok") not in _FINE or "scan" in checks:
        return "unhealthy"
    return "healthy" if all(state in _FINE for state in checks.values()) else "degraded"
