"""A registry over a bucket cleans the cache folder after a load, and when the disk is full."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import pytest

from raxe.adapters.s3 import S3BundleStore
from raxe.bootstrap import ModelRegistry
from raxe.errors import CacheFailed
from raxe.registry import ModelFiles
from tests.factories import MODEL_ID, ModelsFolder, sha256
from tests.fakes import FakeStore
from tests.s3 import bucket_store, new_bucket

Open = Callable[[], ModelRegistry]
SPARE = sha256(bytes(500)).removeprefix("sha256:")  # a file that no model needs


def names(cache: Path, folder: str = "sha256") -> set[str]:
    """The names in a folder of the cache."""
    return {path.name for path in (cache / folder).glob("*")}


def fetch_spare(cache: Path) -> None:
    """Leaves a file of 500 bytes that no model needs."""
    ModelFiles(FakeStore({"spare.bin": bytes(500)}), cache).fetch("spare.bin", f"sha256:{SPARE}")


@pytest.fixture
def registry(models: ModelsFolder, s3_endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens a registry over a bucket with the tiny model; the cache folder holds a file that nobody needs."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_endpoint)
    bucket = new_bucket(s3_endpoint)
    for path in models.root.rglob("*.*"):
        bucket_store(s3_endpoint, bucket).write(path.relative_to(models.root).as_posix(), path, None)
    fetch_spare(tmp_path / "cache")
    url = f"s3://{bucket}/some/prefix"
    return lambda: ModelRegistry(settings=replace(models.settings, models_url=url, cache_dir=tmp_path / "cache"))


def test_a_load_leaves_the_spare_files(registry: Open, tmp_path: Path) -> None:
    """As long as they are within the bound; a cleaning without one removes them and keeps the listed model's."""
    opened = registry()
    opened.create_detector(MODEL_ID)
    assert len(names(tmp_path / "cache")) == 5
    assert opened.clean(spare_bytes=0) == 500
    assert len(names(tmp_path / "cache")) == 4


def test_a_full_disk_is_cleaned_and_tried_again(
    registry: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room only when the file that nobody needs is gone, the model loads."""
    full = _full_while(lambda: SPARE in names(tmp_path / "cache"))
    monkeypatch.setattr("raxe.adapters.s3.S3BundleStore.download", full)
    assert registry().create_detector(MODEL_ID).model_info.model_id == MODEL_ID
    assert SPARE not in names(tmp_path / "cache")


def test_a_disk_that_stays_full_is_an_error_and_leaves_no_half(
    registry: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once all that may go is gone, the error says what the system said."""
    monkeypatch.setattr("raxe.adapters.s3.S3BundleStore.download", _full_while(lambda: True))
    with pytest.raises(CacheFailed, match="No space left"):
        registry().create_detector(MODEL_ID)
    assert names(tmp_path / "cache", "partial") == names(tmp_path / "cache") == set()


def _full_while(full: Callable[[], bool]) -> Callable[[S3BundleStore, str, BinaryIO], str]:
    download = S3BundleStore.download

    def downloaded(store: S3BundleStore, key: str, target: BinaryIO) -> str:
        if full():
            target.write(b"half")
            raise OSError(28, "No space left on device")
        return download(store, key, target)

    return downloaded
