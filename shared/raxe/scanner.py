"""The one use case: prompts in, scans out. A layer that fails becomes an entry in ``failures``; nothing fails open."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from raxe.errors import DetectorFailed, RaxeError
from raxe.policy import Policy
from raxe.protocols import ModelLayer, RuleLayer
from raxe.values import Coverage, Explanation, Failure, L2Result, Prompt, Scan, ScanResult

T = TypeVar("T")

# What was not read counts like a layer that did not answer. It is told as coverage, not as a failure: nothing broke,
# and alarms count failures.
_UNREAD = Failure("text", "Truncated")


class Scanner:
    """Runs L1, L2 and policy over prompts."""

    def __init__(self, rules: RuleLayer, model: ModelLayer, policy: Policy) -> None:
        """Takes the parts; the composition root makes them."""
        self._rules, self._model, self._policy = rules, model, policy

    @property
    def model(self) -> ModelLayer:
        """The L2 layer in use."""
        return self._model

    def scan(self, prompts: Sequence[Prompt]) -> list[Scan]:
        """One scan a prompt, in order; the windows of all prompts share model calls, times are those of the call."""
        started = time.perf_counter()
        failures: list[Failure] = []
        l1 = _guarded("l1", lambda: self._rules.detect(prompts), [ScanResult() for _ in prompts], failures)
        l2 = _guarded("l2", lambda: self._model.detect(prompts, l1), [L2Result() for _ in prompts], failures)
        kept = tuple(failures)
        verdicts = [
            self._policy.decide(p.source, a, b, (*kept, _UNREAD) if p.truncated else kept)
            for p, a, b in zip(prompts, l1, l2, strict=True)
        ]
        duration_ms = (time.perf_counter() - started) * 1000
        return [
            Scan(
                verdict=verdict,
                l1=first,
                l2=second,
                coverage=Coverage(prompt.characters, second.tokens, second.windows, prompt.truncated),
                text_sha256=prompt.sha256,
                model=self._model.model_info,
                failures=kept,
                duration_ms=duration_ms,
            )
            for prompt, first, second, verdict in zip(prompts, l1, l2, verdicts, strict=True)
        ]

    def explain(self, prompt: Prompt, scan: Scan) -> Scan:
        """The scan of ``prompt`` with its explanation; the verdict stays.

        An explanation that fails is a failure of stage ``explain``; when L2 itself failed, none is tried.
        """
        if any(failure.stage == "l2" for failure in scan.failures):
            return scan
        failures: list[Failure] = []
        nothing: list[Explanation | None] = [None]
        found = _guarded("explain", lambda: [self._model.explain(prompt)], nothing, failures)
        return replace(scan, explanation=found[0], failures=(*scan.failures, *failures))


def _guarded(stage: str, call: Callable[[], list[T]], otherwise: list[T], failures: list[Failure]) -> list[T]:
    """What ``call`` gives; when it raises, ``otherwise``, and the failure is noted by the class of its root cause."""
    try:
        results = call()
        if len(results) != len(otherwise):
            raise DetectorFailed("gives another number of results than there are prompts")
    except Exception as error:  # noqa: BLE001  (whatever a detector raises must end as a failure, never as silence)
        root = error.__cause__ if isinstance(error, RaxeError) and error.__cause__ else error
        failures.append(Failure(stage, type(root).__name__))
        return otherwise
    return results
