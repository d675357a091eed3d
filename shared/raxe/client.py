"""The client for Python programs: ``Raxe().scan(text)``."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from raxe.bootstrap import Engine, build_engine
from raxe.bootstrap.compared import compared
from raxe.errors import InvalidInput
from raxe.settings import Settings, from_environment
from raxe.values import ModelInfo, Scan, Source

if TYPE_CHECKING:
    from raxe.bootstrap.selector import ABModelSelector


class Raxe:
    """Scans texts in this process. Building one loads rules and model; keep it and use it again."""

    def __init__(self, l2_model: str | None = None, *, settings: Settings | None = None) -> None:
        """Reads the environment; ``l2_model`` names a model and wins over it, and over an A/B test.

        Raises:
            InvalidSettings: a variable has a wrong value.
            InvalidRules: the rules are damaged.
        """
        base = settings or from_environment()
        base = replace(base, l2_model=l2_model) if l2_model else base
        self._compared = compared(base)
        self._engine: Engine = self._compared.champion if self._compared else build_engine(base)

    @property
    def engine(self) -> Engine:
        """The parts, for callers that scan batches; in an A/B test those of the champion."""
        return self._engine

    @property
    def model_info(self) -> ModelInfo | None:
        """Which model answers, None for rules only; in an A/B test the champion."""
        return self._engine.model_info

    @property
    def ab_test(self) -> "ABModelSelector | None":
        """Who gets which model in the A/B test of ``config.yaml``, and its report; None when none runs."""
        return self._compared.selector if self._compared else None

    def scan(
        self,
        text: str,
        source: Source | str = Source.USER,
        *,
        explain: bool = False,
        subject: Mapping[str, object] | str | None = None,
    ) -> Scan:
        """The scan of one text from ``user``, ``document`` or ``tool``.

        With ``explain`` it has an ``explanation``, which takes three to six times as long. In an A/B test a
        ``subject``, an opaque id or a context that has one, always gets the same model; else chance decides. Under a
        rollout document (``RAXE_ROLLOUT``) an opaque id draws the arm, and without one the champion answers.

        Raises:
            TextEmpty: nothing visible is in the text.
            TextTooLarge: the text is longer than the limit.
            InvalidInput: the context has no subject, or there is a context and no A/B test.
            ValueError: the source is none of the three.
        """
        if self._compared is not None:
            return self._compared.scan_text(text, Source(source), subject, explain=explain)
        if subject is not None and not isinstance(subject, str):
            raise InvalidInput("must be an id where no A/B test runs", field="subject")
        return self._engine.scan_text(text, Source(source), subject=subject, explain=explain)
