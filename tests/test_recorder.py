"""Counting off the hot path: nothing is lost in good days, and no bad day of a store reaches a scan."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from threading import Event

import pytest

from functions.local.events import ROOT
from raxe.adapters.sqlite import SqliteExperimentStore
from raxe.errors import ExperimentStoreFailed
from raxe.experiments import recorder as module
from raxe.experiments.recorder import Recorder
from raxe.protocols import ExperimentStore
from raxe.values.experiments import ArmTotals, Seen
from tests.fakes import FailingExperiments

WAIT_S = 20.0


def seen(arm: str = "champion", number: int = 0) -> Seen:
    """An answer."""
    return Seen(arm, "m", flagged=True, latency_ms=1.0, request_id=f"r{number}", text_sha256="a" * 64)


def test_answers_of_many_threads_are_all_counted() -> None:
    """By arm, while the thread adds up what came so far."""
    store = SqliteExperimentStore()
    recorder = Recorder(lambda: store, "e", every_s=0.01)

    def answer(arm: str) -> None:
        for _ in range(200):
            recorder.observe(seen(arm))

    threads = [threading.Thread(target=answer, args=(arm,)) for arm in ("champion", "challenger") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    assert {arm: totals.n for arm, totals in store.read("e").items()} == {"champion": 400, "challenger": 400}
    assert recorder.take_lost() == 0


def test_the_thread_writes_by_itself() -> None:
    """Nobody needs to ask."""
    written = Event()

    class Store(SqliteExperimentStore):
        """Says when it was written."""

        def add(self, name: str, arm: str, delta: ArmTotals) -> None:
            """Adds."""
            super().add(name, arm, delta)
            written.set()

    recorder = Recorder(Store, "e", every_s=0.01)
    recorder.observe(seen())
    assert written.wait(WAIT_S)
    recorder.close()


def test_nothing_is_opened_before_the_first_answer() -> None:
    """A snapshot of a start holds neither a connection nor a thread."""
    opened: list[str] = []

    def store() -> ExperimentStore:
        opened.append(threading.current_thread().name)
        return SqliteExperimentStore()

    recorder = Recorder(store, "e")
    assert (opened, recorder._thread) == ([], None)
    recorder.observe(seen())
    recorder.close()
    assert opened == ["raxe-experiments"]


@pytest.mark.parametrize("error", [ExperimentStoreFailed("no"), RuntimeError("nobody expects this")])
def test_a_failing_store_loses_answers_and_says_how_many(error: Exception) -> None:
    """The thread goes on, nothing is raised, and what was lost is counted once."""
    recorder = Recorder(lambda: FailingExperiments(error), "e")
    for number in range(3):
        recorder.observe(seen(number=number))
    recorder.flush()
    recorder.observe(seen())
    recorder.close()
    assert [recorder.take_lost() for _ in range(2)] == [4, 0]


def test_a_store_that_cannot_be_opened_fails_alike() -> None:
    """Also when making it raises."""

    def store() -> ExperimentStore:
        raise ImportError

    recorder = Recorder(store, "e")
    recorder.observe(seen())
    recorder.close()
    assert recorder.take_lost() == 1


def test_a_store_that_hangs_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many answers wait, the rest is lost and counted."""
    monkeypatch.setattr(module, "MOST", 10)
    recorder = Recorder(SqliteExperimentStore, "e", every_s=1000)
    for number in range(15):
        recorder.observe(seen(number=number))
    assert recorder.take_lost() == 5
    assert recorder.totals()["champion"].n == 10
    recorder.close()


PROGRAM = """
import sys, time
from pathlib import Path
from raxe.api.counting import start_recorder
from raxe.experiments.recorder import Recorder
from raxe.settings import Settings
from raxe.values.experiments import Seen
recorder = start_recorder(Settings(experiments=sys.argv[1], experiment="e"))
recorder.observe(Seen("champion", "m", True))
print("ready", flush=True)
if sys.argv[2] == "wait":
    time.sleep(60)
"""


@pytest.mark.parametrize(("how", "code"), [("exit", 0), ("wait", -signal.SIGTERM)])
def test_the_end_of_a_process_writes_what_waits(tmp_path: Path, how: str, code: int) -> None:
    """When it ends by itself and when it is told to, which it then does as if nobody had listened."""
    file = tmp_path / "file.sqlite"
    env = {**os.environ, "PYTHONPATH": str(ROOT / "shared")}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, file, how], env=env, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if how == "wait":
            process.terminate()
        assert process.wait(WAIT_S) == code
    assert SqliteExperimentStore(file).read("e")["champion"].n == 1
