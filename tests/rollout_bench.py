"""A provider of rollout documents over a fake store, with a clock to be turned."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from raxe.bootstrap import Serving
from raxe.bootstrap.rollout import RolloutProvider
from raxe.errors import RaxeError
from raxe.policy import Policy
from raxe.rollout import Rollout, dump_rollout
from raxe.scanner import Scanner
from tests.fakes import FakeModel, FakeRolloutStore, FakeRules

TTL_S = 30.0
ON, OFF = Rollout(champion="model-a"), Rollout(l2=False, champion="model-a")


@dataclass(slots=True)
class Bench:
    """A provider over a fake store, with a clock to be turned and models that may fail to load."""

    store: FakeRolloutStore = field(default_factory=FakeRolloutStore)
    now_s: float = 1000.0
    cause: RaxeError | None = None
    missing: dict[str, RaxeError] = field(default_factory=dict)
    connections: int = 0

    def put(self, rollout: Rollout | bytes) -> None:
        """Writes a document as an operator would."""
        content = rollout if isinstance(rollout, bytes) else dump_rollout(rollout)
        self.store.write(content, len(self.store.versions), "edit")

    def start(self) -> RolloutProvider:
        """The provider."""
        return RolloutProvider(self._connect, self._prepare, TTL_S, lambda: self.now_s)

    def _connect(self) -> FakeRolloutStore:
        self.connections += 1
        return self.store

    def _prepare(self, rollout: Rollout | None) -> Serving:
        scanner = Scanner(FakeRules(), FakeModel(), Policy())
        if rollout is None:
            return Serving(scanner)
        return Serving(scanner, self.cause, rollout=rollout, missing=dict(self.missing))


def version(provider: RolloutProvider) -> int | None:
    """The version in force."""
    rollout = provider.current().rollout
    return rollout.version if rollout else None


def eventually(holds: Callable[[], bool]) -> None:
    """Waits for a background thread."""
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.005)
    pytest.fail("it never came about")
