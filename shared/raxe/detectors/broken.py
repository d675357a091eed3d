"""L2 when its model could not be loaded: every scan says so, none stays silent."""

from collections.abc import Sequence
from typing import NoReturn

from raxe.errors import DetectorFailed, RaxeError
from raxe.values import Prompt, ScanResult


class BrokenDetector:
    """Raises what loading raised, scan after scan, so that policy's ``on_failure`` decides and health is degraded."""

    def __init__(self, cause: RaxeError) -> None:
        """Keeps the reason."""
        self.cause = cause

    @property
    def model_info(self) -> None:
        """No model answers."""
        return

    def detect(self, prompts: Sequence[Prompt], l1_results: Sequence[ScanResult]) -> NoReturn:  # noqa: ARG002
        """Raises DetectorFailed from the cause."""
        self._refuse()

    def explain(self, prompt: Prompt) -> NoReturn:  # noqa: ARG002
        """Raises DetectorFailed from the cause."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise DetectorFailed(f"the model is not loaded: {type(self.cause).__name__}") from self.cause
