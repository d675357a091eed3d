"""L2 when there is none: rules only."""

from collections.abc import Sequence

from raxe.registry import Step
from raxe.values import Explanation, L2Result, Prompt, ScanResult


class StubDetector:
    """Finds nothing; stands where a model would when L2 is turned off."""

    def __init__(self, steps: Sequence[Step] = ()) -> None:
        """Takes what ``create_best_l2_detector`` tried before."""
        self._steps = tuple(steps)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Why there is no model; empty for a stub made otherwise."""
        return self._steps

    @property
    def model_info(self) -> None:
        """No model answers."""
        return

    def analyze(self, text: str, l1_results: ScanResult | None = None) -> L2Result:  # noqa: ARG002
        """An empty result."""
        return L2Result()

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult]) -> list[L2Result]:  # noqa: ARG002
        """An empty result a prompt."""
        return [L2Result() for _ in prompts]

    def explain(self, prompt: Prompt) -> Explanation:  # noqa: ARG002
        """An empty explanation."""
        return Explanation()
