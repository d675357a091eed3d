"""The client for Python programs: ``Raxe().scan(text)``."""

from dataclasses import replace

from raxe.bootstrap import Engine, build_engine
from raxe.settings import Settings, from_environment
from raxe.values import ModelInfo, Scan, Source


class Raxe:
    """Scans texts in this process. Building one loads rules and model; keep it and use it again."""

    def __init__(self, l2_model: str | None = None, *, settings: Settings | None = None) -> None:
        """Reads the environment; ``l2_model`` names a model and wins over it.

        Raises:
            InvalidSettings: a variable has a wrong value.
            InvalidRules: the rules are damaged.
        """
        base = settings or from_environment()
        self._engine: Engine = build_engine(replace(base, l2_model=l2_model) if l2_model else base)

    @property
    def engine(self) -> Engine:
        """The parts, for callers that scan batches."""
        return self._engine

    @property
    def model_info(self) -> ModelInfo | None:
        """Which model answers, None for rules only."""
        return self._engine.model_info

    def scan(
        self, text: str, source: Source | str = Source.USER, *, subject: str | None = None, explain: bool = False
    ) -> Scan:
        """The scan of one text from ``user``, ``document`` or ``tool``.

        With ``explain`` it has an ``explanation``, which takes three to six times as long. Under a rollout document
        (``RAXE_ROLLOUT``) the subject draws the arm, and without one the champion answers.

        Raises:
            TextEmpty: nothing visible is in the text.
            TextTooLarge: the text is longer than the limit.
            ValueError: the source is none of the three.
        """
        return self._engine.scan_text(text, Source(source), subject=subject, explain=explain)
