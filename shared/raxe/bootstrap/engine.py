"""Everything a process needs to scan, built once."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache

from raxe.bootstrap.choosing import pick
from raxe.bootstrap.golden import Golden
from raxe.bootstrap.loading import LoadedModel
from raxe.bootstrap.models import ModelRegistry
from raxe.detectors import BrokenDetector, RuleDetector, StubDetector
from raxe.errors import RaxeError, StoreError
from raxe.policy import Policy
from raxe.protocols import ModelLayer
from raxe.registry import Choice, Outcome, Step
from raxe.rules import load_rule_set
from raxe.scanner import Scanner
from raxe.settings import Settings, from_environment
from raxe.text import prepare
from raxe.values import ModelInfo, Prompt, Scan, Source

_SHORT = "What time does the library open? "
_FULL_WINDOW = 40  # times the text above: more tokens than any window has


@dataclass(frozen=True, slots=True)
class Engine:
    """A scanner with the settings and rules it was built from.

    Attributes:
        cause: why L2 is not there though it should be; None when all is well. Its words name files and fields only.
        golden: texts with known scores, when the model came with them.
        compile_rules: compiles all patterns, which otherwise happens as they are needed.
        choice: which model was picked, and why.
    """

    scanner: Scanner
    settings: Settings
    rule_count: int
    cause: RaxeError | None = None
    golden: Golden | None = None
    compile_rules: Callable[[], None] | None = None
    choice: Choice = field(default_factory=Choice)

    @property
    def broken(self) -> str | None:
        """The class of ``cause``."""
        return type(self.cause).__name__ if self.cause else None

    @property
    def model_info(self) -> ModelInfo | None:
        """Which model answers, None for rules only."""
        return self.scanner.model.model_info

    def prepare(
        self, text: str, source: Source = Source.USER, *, subject: str | None = None, field: str = "text"
    ) -> Prompt:
        """The prompt of a text under this engine's limit; raises TextEmpty or TextTooLarge naming ``field``."""
        return prepare(text, source, subject=subject, max_characters=self.settings.max_characters, field=field)

    def warm_up(self) -> None:
        """Does now what first scans would do: compiles all patterns, runs the model on a short and on a full window.

        For an environment that is snapshotted after its start: what is warm then is warm in every copy of it.
        """
        if self.compile_rules is not None:
            self.compile_rules()
        for text in (_SHORT, _SHORT * _FULL_WINDOW):
            self.scan_text(text)

    def scan_text(self, text: str, source: Source = Source.USER, *, field: str = "text", explain: bool = False) -> Scan:
        """The scan of one text, whose name in errors is ``field``; its duration covers all, preparation too."""
        started = time.perf_counter()
        prompt = self.prepare(text, source, field=field)
        scan = self.scanner.scan([prompt])[0]
        if explain:
            scan = self.scanner.explain(prompt, scan)
        return replace(scan, duration_ms=(time.perf_counter() - started) * 1000)


def build_engine(settings: Settings) -> Engine:
    """The engine that the settings ask for.

    A model that cannot be loaded does not stop the start: rules go on alone, every scan carries a failure and health is
    degraded. Wrong rules do stop it: InvalidRules.
    """
    return _assembled(settings, *pick(settings))


def build_model_engine(model_id: str, settings: Settings) -> Engine:
    """The engine of one registered model, whatever is selected; no other model takes its place.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
        InvalidRules: the rules are damaged.
    """
    registry = ModelRegistry(settings=settings)
    model = registry.get_model(model_id)
    step = Step("asked for", Outcome.PICKED, "named", model.model_id)
    return _assembled(settings, registry.load(model), Choice(model, (step,)))


def _assembled(settings: Settings, loaded: LoadedModel | None, choice: Choice) -> Engine:
    rules = load_rule_set()
    policy = Policy(on_failure=settings.on_failure)
    model: ModelLayer = BrokenDetector(choice.cause) if choice.cause else StubDetector()
    if loaded is not None:
        model = loaded.detector
        policy = replace(policy, default=loaded.thresholds, severities=loaded.detector.model_info.severities)
    scanner = Scanner(RuleDetector(rules), model, policy)
    golden = loaded.golden if loaded else None
    return Engine(scanner, settings, len(rules.rules), choice.cause, golden, rules.check, choice)


@cache
def process_engine() -> Engine:
    """The engine of this process, built from the environment at the first call; later calls give the same one.

    Raises:
        InvalidSettings: a variable has a wrong value.
        InvalidRules: the rules are damaged.
        StoreError: the store did not answer at a start that is snapshotted: every copy would be without a model.
    """
    engine = build_engine(from_environment())
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        if isinstance(engine.cause, StoreError):
            raise engine.cause
        engine.warm_up()
    return engine
