"""The rollout document in force: looked at again every now and then, off the hot path, the last good one kept."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from random import SystemRandom
from threading import Lock, Thread

from raxe.adapters.rollout_file import FileRolloutStore
from raxe.bootstrap.serving import Serving
from raxe.errors import InvalidInput, RaxeError, StoreUnavailable
from raxe.protocols import RolloutStore, StoredRollout
from raxe.rollout import Rollout, parse_rollout
from raxe.settings import rollout_place

_JITTER = 0.1  # of the time to live, so that environments that started together do not ask together
_CHANCE = SystemRandom()  # its numbers differ between copies of one snapshot; those of `random` do not
_MOST_WAITS = 8  # times the time to live between two looks at a store that does not answer
_MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class RolloutEvent:
    """Something that a refresh found out: ``error`` is None when another document is in force, else why not.

    Attributes:
        version: of the document in force, None for none.
        digest: likewise.
        arm: the arm that could not be loaded, None when the document itself could not be taken.
        error: its words name files, fields and models only.
    """

    version: int | None
    digest: str | None
    error: RaxeError | None = None
    arm: str | None = None


def open_rollout(place: str, *, patient: bool = False) -> RolloutStore:
    """The store of ``ssm:/name`` or of a file; raises InvalidInput. Nothing is read yet.

    ``patient`` waits for SSM as a person does; without it the timeouts are those that the start of a function can bear.
    """
    try:
        rollout_place(place)
    except ValueError as error:
        raise InvalidInput(str(error), field="rollout") from None
    if not place.startswith("ssm:"):
        return FileRolloutStore(Path(place))
    # By name, so that a start with a file does not pay for an AWS client.
    ssm = import_module("raxe.adapters.ssm")
    store: RolloutStore = ssm.SsmRolloutStore(place.removeprefix("ssm:"), ssm.PATIENT if patient else None)
    return store


class RolloutProvider:
    """Keeps the serving of the document in force, and replaces it whole when there is another one.

    A scan never waits for the store or for a model that is loaded: whoever comes after the time to live starts a
    thread that looks, and is answered by what is there. Lambda freezes such a thread with the environment and thaws it
    with the next request; time therefore counts from before the look, so that an answer that was frozen is old at once.
    """

    def __init__(
        self,
        connect: Callable[[], RolloutStore],
        prepare: Callable[[Rollout | None], Serving],
        ttl_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads the document now. When it cannot be had, the start goes on without one, and every scan says so."""
        self._connect, self._prepare, self._ttl_s, self._clock = connect, prepare, ttl_s, clock
        self._turn = Lock()
        self._events: deque[RolloutEvent] = deque(maxlen=_MOST_EVENTS)
        self._store: RolloutStore | None = None
        self._seen: StoredRollout | None = None
        self._serving: Serving | None = None
        self._failures = 0
        self._looked_at = self._pause_s = 0.0
        self.error: RaxeError | None = None
        self.refresh()

    @property
    def is_due(self) -> bool:
        """Whether it is time to look; a clock that went back, as after a restore on another host, is a reason to."""
        return not 0 <= self._clock() - self._looked_at < self._pause_s

    def current(self) -> Serving:
        """The serving in force, at once; looks for a newer document in the background when it is time to."""
        if self.is_due and not self._turn.locked():
            try:
                Thread(target=self.refresh, name="raxe-rollout", daemon=True).start()
            except RuntimeError:  # the process may have no more threads: what is there goes on
                self._looked_at = self._clock()
                self._failed(StoreUnavailable("rollout: no thread could be started"))
        assert self._serving is not None  # refresh() sets it before __init__ ends
        return self._serving

    def refresh(self) -> None:
        """Looks now and takes what is new; never raises. Returns at once when somebody else is looking."""
        if not self._turn.acquire(blocking=False):
            return
        try:
            looked_at = self._clock()
            try:
                self._take()
            except RaxeError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001  (a thread must not end in silence, nor a start for the flag)
                self._failed(StoreUnavailable(f"rollout: {type(error).__name__}"))
            else:
                self.error, self._failures = None, 0
            self._looked_at = looked_at
            waits = min(2 ** max(self._failures - 1, 0), _MOST_WAITS)
            self._pause_s = self._ttl_s * waits * _CHANCE.uniform(1 - _JITTER, 1)
        finally:
            self._turn.release()

    def restored(self) -> None:
        """What to do after a snapshot was restored: the document may be days old and connections are gone."""
        self._store = None
        self.refresh()

    def drain(self) -> list[RolloutEvent]:
        """What refreshes found out since the last call, for logs and metrics."""
        found = []
        while self._events:
            found.append(self._events.popleft())
        return found

    def _take(self) -> None:
        if self._store is None:
            self._store = self._connect()
        stored = self._store.read()
        serving = self._serving
        if serving and serving.complete and self._seen == stored:
            return
        rollout = parse_rollout(stored.content, stored.version)
        made = self._prepare(rollout)
        if made.cause is not None and serving and serving.rollout:
            raise made.cause  # validated means loaded: a champion that cannot serve does not replace one that does
        self._serving, self._seen = made, stored
        if serving is None or serving.rollout is None or serving.rollout.version != rollout.version:
            self._note(rollout)
        for arm, error in made.missing.items():
            self._note(rollout, error, arm)

    def _failed(self, error: RaxeError) -> None:
        self.error = error
        # A store that says no, or has nonsense, answers: it is not overloaded.
        self._failures = self._failures + 1 if isinstance(error, StoreUnavailable) else 0
        if self._serving is None:
            self._serving = replace(self._prepare(None), unknown=error)
        self._note(self._serving.rollout, error)

    def _note(self, rollout: Rollout | None, error: RaxeError | None = None, arm: str | None = None) -> None:
        version, digest = (rollout.version, rollout.digest) if rollout else (None, None)
        self._events.append(RolloutEvent(version, digest, error, arm))
