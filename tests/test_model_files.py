"""Files that are downloaded: once, proven before they have a name, and never half there."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from functions.local.events import ROOT
from raxe.bootstrap import build_engine
from raxe.errors import CacheFailed, InvalidBundle, StoreUnavailable
from raxe.registry import ModelFiles
from tests.factories import ModelsFolder, sha256
from tests.fakes import FakeStore
from tests.s3 import bucket_store, new_bucket

CONTENT = bytes(range(256)) * 1000
SUM = sha256(CONTENT)
# What each of the processes does that start at once.
START = """
import sys
from pathlib import Path
from raxe.adapters.s3 import S3BundleStore, S3Options
from raxe.registry import ModelFiles
_, endpoint, bucket, cache, digest = sys.argv
store = S3BundleStore(bucket, "some/prefix", S3Options(endpoint_url=endpoint))
print(len(ModelFiles(store, Path(cache)).fetch("a.bin", digest).read_bytes()))
"""


def held(cache: Path) -> list[str]:
    """The names of the files in the cache, locks and kept documents aside."""
    return sorted(path.name for name in ("sha256", "etags", "partial") for path in (cache / name).glob("*"))


def test_a_file_is_downloaded_once(tmp_path: Path) -> None:
    """Two keys of one content are one file, and a second start downloads nothing."""
    store = FakeStore({"a.bin": CONTENT, "b.bin": CONTENT})
    for key in ("a.bin", "b.bin", "a.bin"):
        assert ModelFiles(store, tmp_path).fetch(key, SUM).read_bytes() == CONTENT
    assert store.calls == [("download", "a.bin")]
    assert held(tmp_path) == [SUM.removeprefix("sha256:")]


def test_a_wrong_checksum_is_never_kept(tmp_path: Path) -> None:
    """Other bytes than the metadata says are InvalidBundle, and leave no file."""
    with pytest.raises(InvalidBundle, match=r"a\.bin"):
        ModelFiles(FakeStore({"a.bin": b"other"}), tmp_path).fetch("a.bin", SUM)
    assert held(tmp_path) == []


def test_a_damaged_cached_file_is_downloaded_again(tmp_path: Path) -> None:
    """What lies in the cache is compared before each use."""
    files = ModelFiles(FakeStore({"a.bin": CONTENT}), tmp_path)
    files.fetch("a.bin", SUM).write_bytes(b"damaged")
    assert files.fetch("a.bin", SUM).read_bytes() == CONTENT


def test_a_changed_object_is_noticed_by_its_etag(tmp_path: Path) -> None:
    """A file without a known checksum is downloaded once an ETag; both contents stay in the cache."""
    store = FakeStore({"a.bin": b"one"})
    contents = []
    for content in (b"one", b"one", b"two", b"two", b"one"):
        store.objects["a.bin"] = content
        contents.append(ModelFiles(store, tmp_path).locate("a.bin").read_bytes())
    assert contents == [b"one", b"one", b"two", b"two", b"one"]
    assert [method for method, _ in store.calls].count("download") == 2


def test_a_store_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    """An error midway is passed on, nothing half-written stays, and what was there goes on serving."""
    store = FakeStore({"a.bin": CONTENT, "b.bin": b"b"})
    files = ModelFiles(store, tmp_path)
    files.fetch("a.bin", SUM)
    store.failing = StoreUnavailable("b.bin: broke off")
    with pytest.raises(StoreUnavailable):
        files.fetch("b.bin", sha256(b"b"))
    assert held(tmp_path) == [SUM.removeprefix("sha256:")]
    assert files.fetch("a.bin", SUM).read_bytes() == CONTENT


def test_a_full_disk_leaves_nothing_and_the_last_model_serves(tmp_path: Path) -> None:
    """No space is CacheFailed; a file that is there already is served without space."""

    class Full(FakeStore):
        """A store that finds the disk full."""

        def download(self, key: str, target: Any) -> str:  # noqa: ANN401
            """Writes half."""
            target.write(self.objects[key][:10])
            raise OSError(28, "No space left on device")

    ModelFiles(FakeStore({"a.bin": CONTENT}), tmp_path).fetch("a.bin", SUM)
    full = ModelFiles(Full({"a.bin": CONTENT, "b.bin": b"b" * 100}), tmp_path)
    with pytest.raises(CacheFailed, match="No space left"):
        full.fetch("b.bin", sha256(b"b" * 100))
    assert held(tmp_path) == [SUM.removeprefix("sha256:")]
    assert full.fetch("a.bin", SUM).read_bytes() == CONTENT


def test_a_cache_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    """Where the folder should be, there is a file."""
    (tmp_path / "cache").write_text("")
    with pytest.raises(CacheFailed):
        ModelFiles(FakeStore({"a.bin": CONTENT}), tmp_path / "cache").fetch("a.bin", SUM)


def test_processes_that_start_at_once_do_not_disturb_each_other(s3_endpoint: str, tmp_path: Path) -> None:
    """Four processes over one empty cache all get the whole file, and one file is left."""
    bucket = new_bucket(s3_endpoint)
    bucket_store(s3_endpoint, bucket).write("a.bin", CONTENT, None)
    command = [sys.executable, "-c", START, s3_endpoint, bucket, str(tmp_path), SUM]
    started = [subprocess.Popen(command, cwd=ROOT / "shared", stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [process.communicate()[0].strip() for process in started] == [str(len(CONTENT))] * 4
    assert held(tmp_path) == [SUM.removeprefix("sha256:")]


def test_an_engine_from_a_bucket_scans(
    models: ModelsFolder, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same folder in a bucket gives the same model, and a missing file is named."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    bucket = new_bucket(s3_endpoint)
    store = bucket_store(s3_endpoint, bucket)
    for path in models.root.rglob("*.*"):
        store.write(path.relative_to(models.root).as_posix(), path, None)
    url = f"s3://{bucket}/some/prefix"
    engine = build_engine(replace(models.settings, models_url=url, cache_dir=tmp_path / "cache"))
    assert engine.cause is None
    assert engine.model_info
    assert len(held(tmp_path / "cache")) == 4
