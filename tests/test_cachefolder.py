"""The cache folder is cleaned: current models and files in use stay, whoever is killed whenever."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest

from functions.local.events import ROOT
from raxe.registry import ModelFiles
from raxe.registry.cachefolder import CacheFolder
from tests.factories import sha256
from tests.fakes import FakeStore

KEYS = ("a.bin", "b.bin", "c.bin", "d.bin")
CONTENTS = {key: key.encode() * 100 for key in KEYS}  # 500 bytes each
SUMS = {key: sha256(content) for key, content in CONTENTS.items()}
# A process that says when it has a file, and waits to be killed: holding it, or in the midst of its download.
HOLDS = """
import sys, time
from pathlib import Path
from raxe.registry import ModelFiles
from tests.fakes import FakeStore
class Slow(FakeStore):
    def download(self, key, target):
        target.write(b"half"); target.flush()
        print("ready", flush=True)
        time.sleep(60)
_, kind, cache, key, digest = sys.argv
store = (FakeStore if kind == "holds" else Slow)({key: key.encode() * 100})
files = ModelFiles(store, Path(cache))
files.fetch(key, digest)
print("ready", flush=True)
time.sleep(60)
"""
# Fetches and cleans in turn: what it fetched must be there as long as it holds it.
FETCHES = """
import sys
from pathlib import Path
from raxe.registry import ModelFiles
from tests.fakes import FakeStore
_, cache, *sums = sys.argv
contents = {key: key.encode() * 100 for key in ("a.bin", "b.bin", "c.bin", "d.bin")}
for round in range(40):
    files = ModelFiles(FakeStore(contents), Path(cache))
    paths = [files.fetch(key, total) for key, total in zip(contents, sums)]
    files.clean([], spare_bytes=0)
    assert [path.read_bytes() for path in paths] == list(contents.values())
"""


def names(cache: Path, folder: str = "sha256") -> set[str]:
    """The keys whose files are in the cache, or the names in another of its folders."""
    keys = {total.removeprefix("sha256:"): key for key, total in SUMS.items()}
    return {keys.get(path.name, path.name) for path in (cache / folder).glob("[!.]*")}


def fetched(cache: Path, *keys: str) -> None:
    """Fetches files one after the other, and lets go of them."""
    for at, key in enumerate(keys):
        os.utime(ModelFiles(FakeStore(CONTENTS), cache).fetch(key, SUMS[key]), (at, at))


@contextmanager
def another_process(kind: str, cache: Path, key: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a file, or downloads it, until the end or until it is killed."""
    command = [sys.executable, "-c", HOLDS, kind, str(cache), key, SUMS[key]]
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "shared")))}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def cleaned(cache: Path, *needed: str, spare_bytes: int = 0) -> int:
    """What a process frees that comes along."""
    return ModelFiles(FakeStore(), cache).clean([SUMS[key] for key in needed], spare_bytes)


@pytest.mark.parametrize(
    ("needed", "spare_bytes", "stay"),
    [
        ((), 0, set()),
        (("a.bin",), 0, {"a.bin"}),
        (("a.bin",), 500, {"a.bin", "d.bin"}),  # the last one that was used
        ((), 1499, {"c.bin", "d.bin"}),
        ((), 2000, set(KEYS)),
    ],
)
def test_needed_files_stay_and_of_the_rest_the_last_ones_used(
    tmp_path: Path, needed: tuple[str, ...], spare_bytes: int, stay: set[str]
) -> None:
    """The rest is bounded by its bytes; what is freed is told."""
    fetched(tmp_path, *KEYS)
    assert cleaned(tmp_path, *needed, spare_bytes=spare_bytes) == 500 * (len(KEYS) - len(stay))
    assert names(tmp_path) == stay


def test_a_file_in_use_by_another_process_stays_until_it_ends(tmp_path: Path) -> None:
    """Also when that process is killed: its hold ends with it."""
    fetched(tmp_path, "b.bin")
    with another_process("holds", tmp_path, "a.bin"):
        assert cleaned(tmp_path) == 500
        assert names(tmp_path) == {"a.bin"}
    assert cleaned(tmp_path) == 500
    assert names(tmp_path) == set()


def test_a_file_in_use_by_this_process_stays_as_long_as_its_registry(tmp_path: Path) -> None:
    """A path that was given out is good for the life of what gave it."""
    files = ModelFiles(FakeStore(CONTENTS), tmp_path)
    path = files.fetch("a.bin", SUMS["a.bin"])
    assert (files.clean([], 0), cleaned(tmp_path), path.read_bytes()) == (0, 0, CONTENTS["a.bin"])
    del files
    assert cleaned(tmp_path) == 500


def test_a_download_under_way_stays_and_what_a_killed_one_left_goes(tmp_path: Path) -> None:
    """The half of a file is removed when nobody works on it any more, and the file can be fetched then."""
    with another_process("downloads", tmp_path, "a.bin"):
        cleaned(tmp_path)
        assert len(names(tmp_path, "partial")) == 1
    cleaned(tmp_path)
    assert names(tmp_path, "partial") == set()
    fetched(tmp_path, "a.bin")
    assert names(tmp_path) == {"a.bin"}


def test_nothing_else_piles_up(tmp_path: Path) -> None:
    """Locks and notes of files that are gone go too; a file without a checksum is found again."""
    for _ in range(2):
        assert ModelFiles(FakeStore(CONTENTS), tmp_path).locate("a.bin").read_bytes() == CONTENTS["a.bin"]
        fetched(tmp_path, "b.bin")
        cleaned(tmp_path)
        assert [names(tmp_path, folder) for folder in ("sha256", "etags", "partial", "locks")] == [set()] * 4


def test_an_interrupted_cleaning_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after one file, the next one goes on; a note without its file is no trap."""
    ModelFiles(FakeStore(CONTENTS), tmp_path).locate("a.bin")
    fetched(tmp_path, "b.bin")
    unlink, removed = Path.unlink, list[Path]()

    def once(path: Path, missing_ok: bool = False) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", once)
    with pytest.raises(KeyboardInterrupt):
        cleaned(tmp_path)
    monkeypatch.undo()
    assert len(names(tmp_path)) == 1
    for key in ("a.bin", "b.bin"):
        assert ModelFiles(FakeStore(CONTENTS), tmp_path).locate(key).read_bytes() == CONTENTS[key]
    assert cleaned(tmp_path) == 1000


def test_a_folder_that_is_not_there_is_clean(tmp_path: Path) -> None:
    """Nothing is made."""
    assert cleaned(tmp_path / "none") == 0
    assert list(tmp_path.iterdir()) == []


def test_processes_that_fetch_and_clean_at_once_never_lose_a_file(tmp_path: Path) -> None:
    """Four processes, each cleaning away all it may: what any of them fetched is whole while it holds it."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "shared")))}
    command = [sys.executable, "-c", FETCHES, str(tmp_path), *SUMS.values()]
    running = [subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [("", 0)] * 4


def test_a_lock_that_is_tidied_away_while_one_waits_for_it_locks_nothing(tmp_path: Path) -> None:
    """Who waited takes the lock that has the name now, so that the next one waits for it."""
    folder, entered, done = CacheFolder(tmp_path), Event(), Event()
    with ThreadPoolExecutor() as pool:
        with folder.turn("name"):
            waiting = pool.submit(lambda: _hold(folder, entered, done))
            assert not entered.wait(0.2)
            (tmp_path / "locks" / "name").unlink()
        assert entered.wait(10)
        with folder._locked("name", wait=False) as mine:
            assert not mine
        done.set()
        waiting.result()


def _hold(folder: CacheFolder, entered: Event, done: Event) -> None:
    with folder.turn("name"):
        entered.set()
        done.wait(10)
