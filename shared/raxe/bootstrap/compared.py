"""The A/B test of ``config.yaml``: an engine for each of its two models, and who is answered by which."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from raxe.bootstrap.engine import Engine, build_engine
from raxe.bootstrap.experiments import open_experiments
from raxe.bootstrap.stores import open_store
from raxe.errors import ModelError
from raxe.registry import ABTest, read_config
from raxe.settings import Settings
from raxe.values import Scan, Source

if TYPE_CHECKING:
    from raxe.bootstrap.selector import ABModelSelector

Subject = Mapping[str, object] | str


@dataclass(frozen=True, slots=True)
class Compared:
    """The engines by model id, the champion's first, and the selector that counts."""

    selector: "ABModelSelector"
    engines: Mapping[str, Engine]

    @property
    def champion(self) -> Engine:
        """The engine of ``variant_a``."""
        return next(iter(self.engines.values()))

    def scan_text(self, text: str, source: Source, subject: Subject | None, *, explain: bool = False) -> Scan:
        """The scan by the model of the subject, by chance without one; its model says which arm that is."""
        chosen = self.selector.select(subject if subject is not None else str(uuid.uuid4()))
        scan, arm = self.engines[chosen].scan_text(text, source, explain=explain), self.selector.arm_of(chosen)
        self.selector.track_scan(chosen, scan, timed=not explain)
        return replace(scan, model=replace(scan.model, arm=arm)) if scan.model else scan


def compared(settings: Settings) -> Compared | None:
    """The engines of the test, None when there is none to run: the environment names a model, or turns all off.

    What is wrong with the file is told by the engine that then serves: it reads the file too.
    """
    test = _enabled(settings)
    if test is None or not (test.variant_a and test.variant_b):
        return None
    from raxe.bootstrap.selector import ABModelSelector  # noqa: PLC0415  (who compares nothing does not pay for it)
    from raxe.experiments.recorder import Recorder  # noqa: PLC0415

    place, one, two = settings.experiments, test.variant_a, test.variant_b
    recorder = Recorder(lambda: open_experiments(place), test.name) if place else None
    selector = ABModelSelector(one, two, test.split, test.user_hash_key, recorder=recorder)
    return Compared(selector, {each: build_engine(replace(settings, l2_model=each)) for each in (one, two)})


def _enabled(settings: Settings) -> ABTest | None:
    if settings.l2_model or not settings.use_onnx_only:
        return None
    try:
        found = read_config(open_store(settings)).ab_test
    except ModelError:
        return None
    return found if found.enabled else None
