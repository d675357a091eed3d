"""The shadow: a model that scores what was already decided. It changes no verdict, and its failure hurts nobody."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from raxe.policy import Policy
from raxe.protocols import ModelLayer
from raxe.values import Decision, Prompt, Scan


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What the shadow made of one scan.

    Attributes:
        model_id: of the shadow.
        flagged: it would have found an attack.
        disagrees: its decision would have been another.
        difference: its score less the score of the model that answered, in [-1, 1].
        duration_ms: of the call, which all scans of a request share.
        error: class of the error when it did not answer; the rest says nothing then.
    """

    model_id: str = ""
    flagged: bool = False
    disagrees: bool = False
    difference: float = 0.0
    duration_ms: float = 0.0
    error: str | None = None


class Shadow:
    """A model with the policy that it would be served with."""

    def __init__(self, model: ModelLayer, policy: Policy) -> None:
        """Takes both."""
        self._model, self._policy = model, policy

    @property
    def model(self) -> ModelLayer:
        """The model."""
        return self._model

    def compare(self, prompts: Sequence[Prompt], scans: Sequence[Scan]) -> tuple[Shadowed, ...]:
        """One result for each scan that was answered without a failure, in order; never raises."""
        answered = [(prompt, scan) for prompt, scan in zip(prompts, scans, strict=True) if not scan.failures]
        if not answered:
            return ()
        info = self._model.model_info
        model_id = info.model_id if info else ""
        started = time.perf_counter()
        try:
            l2 = self._model.detect([prompt for prompt, _ in answered], [scan.l1 for _, scan in answered])
            verdicts = [
                self._policy.decide(prompt.source, scan.l1, result)
                for (prompt, scan), result in zip(answered, l2, strict=True)
            ]
        except Exception as error:  # noqa: BLE001  (whatever a shadow raises must not reach a request that is answered)
            duration_ms = (time.perf_counter() - started) * 1000
            failed = Shadowed(model_id, duration_ms=duration_ms, error=type(error).__name__)
            return tuple(failed for _ in answered)
        duration_ms = (time.perf_counter() - started) * 1000
        return tuple(
            Shadowed(
                model_id,
                verdict.decision is not Decision.ALLOW,
                verdict.decision is not scan.verdict.decision,
                result.score - scan.l2.score,
                duration_ms,
            )
            for (_, scan), result, verdict in zip(answered, l2, verdicts, strict=True)
        )
