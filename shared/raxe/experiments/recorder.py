"""Counts answers off the hot path: an answer is appended to a queue, a thread adds up the queue every few seconds."""

import atexit
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable

from raxe.protocols import ExperimentStore
from raxe.values.experiments import ArmTotals, Seen

EVERY_S = 5.0
KEEP_S = 30 * 24 * 3600.0  # how long feedback finds an answer
LAST_S = 2.0  # how long the end of the process waits for the last of them
MOST = 20_000  # answers that wait; a store that does not answer must not fill the memory


class Recorder:
    """Answers of one experiment on their way into a store.

    A failing store never fails a scan. What it did not take is dropped and counted by ``take_lost``, not tried again:
    where an answer of the store was lost, a second try would count twice. Both arms lose alike.
    """

    def __init__(self, open_store: Callable[[], ExperimentStore], name: str, *, every_s: float = EVERY_S) -> None:
        """Nothing is opened and no thread runs before the first answer, so that a snapshot of the start has neither."""
        self._open, self._name, self._every_s = open_store, name, every_s
        self._waiting: deque[Seen] = deque()
        self._store: ExperimentStore | None = None
        self._thread: threading.Thread | None = None
        self._start, self._turn, self._end = threading.Lock(), threading.Lock(), threading.Event()
        self._lost = 0

    @property
    def name(self) -> str:
        """What the answers are counted under."""
        return self._name

    def observe(self, answer: Seen) -> None:
        """Takes an answer; it does not wait, and raises nothing."""
        if len(self._waiting) >= MOST:
            self._lost += 1
            return
        self._waiting.append(answer)
        if self._thread is None:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="raxe-experiments", daemon=True)
                    self._thread.start()
                    atexit.register(self.close, LAST_S)

    def take_lost(self) -> int:
        """How many answers were lost since the last call."""
        lost, self._lost = self._lost, 0
        return lost

    def flush(self) -> None:
        """Adds up what waits now; returns when the store has it or failed."""
        with self._turn:
            answers = [self._waiting.popleft() for _ in range(len(self._waiting))]
            by_arm = defaultdict[str, list[Seen]](list)
            for each in answers:
                by_arm[each.arm].append(each)
            for arm, own in by_arm.items():
                self._write(arm, own)

    def totals(self) -> dict[str, ArmTotals]:
        """What the store has by arm, all that was taken before in it; raises ExperimentStoreFailed."""
        self.flush()
        with self._turn:
            return self._opened().read(self._name)

    def close(self, timeout_s: float | None = None) -> None:
        """Has the thread add up what waits and end; waits for it, at most so long."""
        self._end.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _write(self, arm: str, answers: list[Seen]) -> None:
        try:
            store = self._opened()
            # First what feedback looks for: an answer that is counted can be labelled.
            store.remember(self._name, [each for each in answers if each.request_id], time.time() + KEEP_S)
            store.add(self._name, arm, ArmTotals.of(answers))
        except Exception:  # noqa: BLE001  (whatever a store raises, the thread must go on and no scan may fail)
            self._lost += len(answers)

    def _opened(self) -> ExperimentStore:
        self._store = self._store or self._open()
        return self._store

    def _run(self) -> None:
        while not self._end.wait(self._every_s):
            self.flush()
        self.flush()
