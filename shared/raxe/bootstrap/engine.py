"""Everything a process needs to scan, built once."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from raxe.bootstrap.golden import Golden
from raxe.bootstrap.models import ModelRegistry
from raxe.bootstrap.serving import Serving, build_serving
from raxe.detectors import RuleDetector
from raxe.errors import RaxeError, StoreError
from raxe.registry import Choice, Outcome, Step
from raxe.rules import load_rule_set
from raxe.scanner import Scanner
from raxe.settings import Settings, from_environment
from raxe.text import prepare
from raxe.values import ModelInfo, Prompt, Scan, Source

if TYPE_CHECKING:  # only a process with a rollout document pays for it
    from raxe.bootstrap.rollout import RolloutProvider

_SHORT = "What time does the library open? "
_FULL_WINDOW = 40  # times the text above: more tokens than any window has


@dataclass(frozen=True, slots=True)
class Engine:
    """A scanner with the settings and rules it was built from.

    Attributes:
        scanner: of the champion at the start.
        cause: why L2 was not there at the start though it should be; its words name files and fields only.
        golden: texts with known scores, when the model came with them.
        compile_rules: compiles all patterns, which otherwise happens as they are needed.
        choice: which model was picked at the start, and why.
        rollout: the rollout document in force, None when there is to be none.
    """

    scanner: Scanner
    settings: Settings
    rule_count: int
    cause: RaxeError | None = None
    golden: Golden | None = None
    compile_rules: Callable[[], None] | None = None
    choice: Choice = field(default_factory=Choice)
    rollout: "RolloutProvider | None" = None

    @property
    def broken(self) -> str | None:
        """The class of what keeps L2 from answering now."""
        cause = self.serving().cause
        return type(cause).__name__ if cause else None

    @property
    def model_info(self) -> ModelInfo | None:
        """Which model is champion now, None for rules only."""
        return self.serving().scanner.model.model_info

    def serving(self) -> Serving:
        """How requests are answered now. A request takes it once, so that it is answered under one document."""
        if self.rollout is not None:
            return self.rollout.current()
        return Serving(self.scanner, self.cause, self.golden, self.choice)

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
            for scanner in self.serving().scanners:
                scanner.scan([self.prepare(text)])

    def scan_text(
        self,
        text: str,
        source: Source = Source.USER,
        *,
        subject: str | None = None,
        field: str = "text",
        explain: bool = False,
    ) -> Scan:
        """The scan of one text, whose name in errors is ``field``; its duration covers all, preparation too.

        Without a subject the champion answers: there is no request whose id could draw an arm.
        """
        started = time.perf_counter()
        serving = self.serving()
        prompt = self.prepare(text, source, subject=subject, field=field)
        scan = serving.scan([prompt], [serving.arm_of(subject)])[0]
        if explain:
            scan = serving.explain(prompt, scan)
        return replace(scan, duration_ms=(time.perf_counter() - started) * 1000)


def build_engine(settings: Settings) -> Engine:
    """The engine that the settings ask for.

    A model that cannot be loaded does not stop the start: rules go on alone, every scan carries a failure and health is
    degraded. Neither does a rollout document that cannot be had: config.yaml selects, and the same is said. Wrong rules
    do stop it: InvalidRules.
    """
    rules = load_rule_set()
    detector = RuleDetector(rules)
    provider = None
    place = settings.rollout
    if place is not None:
        own = import_module("raxe.bootstrap.rollout")
        provider = own.RolloutProvider(
            lambda: own.open_rollout(place), lambda rollout: build_serving(settings, detector, rollout),
            settings.rollout_ttl_s,
        )  # fmt: skip
    serving = provider.current() if provider else build_serving(settings, detector)
    return Engine(
        serving.scanner,
        settings,
        len(rules.rules),
        serving.cause,
        serving.golden,
        rules.check,
        serving.choice,
        provider,
    )


def build_model_engine(model_id: str, settings: Settings) -> Engine:
    """The engine of one registered model, whatever is selected; no other model takes its place.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
        InvalidRules: the rules are damaged.
    """
    own = replace(settings, l2_model=model_id, use_onnx_only=True, rollout=None)
    registry = ModelRegistry(settings=own)
    model = registry.get_model(model_id)
    registry.load(model)  # kept: the engine takes it from there
    step = Step("asked for", Outcome.PICKED, "named", model.model_id)
    return replace(build_engine(own), choice=Choice(model, (step,)))


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
        if engine.rollout is not None:
            _after_restore(engine.rollout.restored)
    return engine


def _after_restore(call: Callable[[], None]) -> None:
    """Has Lambda call it when a snapshot is restored, before the first event; without the runtime's module, nobody."""
    try:
        hooks = import_module("snapshot_restore_py")
    except ImportError:
        return
    hooks.register_after_restore(call)
