"""``BundleStore``: the local folder, S3, a store that is shown, and the fake of the tests keep the same promises."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from rich.progress import Progress

from raxe.adapters import KeptStore, LocalBundleStore
from raxe.adapters.s3 import S3BundleStore, S3Options
from raxe.cli.transfer import ShownStore
from raxe.errors import ModelNotFound, StoreConflict, StoreDenied, StoreError, StoreUnavailable
from raxe.protocols import BundleStore
from tests.fakes import FakeStore
from tests.s3 import PAGE, bad_server, bucket_store

STORES: dict[str, Callable[[Path, str], BundleStore]] = {
    "local": lambda folder, _: LocalBundleStore(folder / "store"),
    "s3": lambda _, endpoint: bucket_store(endpoint),
    "kept": lambda folder, endpoint: KeptStore(bucket_store(endpoint), folder / "kept"),
    "fake": lambda _, __: FakeStore(),
    "shown": lambda folder, _: ShownStore(LocalBundleStore(folder / "store"), Progress(disable=True)),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, s3_endpoint: str) -> BundleStore:
    """Each store, empty."""
    return STORES[request.param](tmp_path, s3_endpoint)


def content_of(store: BundleStore, key: str) -> bytes:
    """What a store has under a key, read in both ways."""
    found = store.read(key)
    buffer = io.BytesIO()
    etag = store.download(key, buffer)
    assert found == (buffer.getvalue(), etag)
    return buffer.getvalue()


def test_an_object_comes_back_as_it_was_written(store: BundleStore, tmp_path: Path) -> None:
    """Bytes and files are read as written, and the ETag is the same from every method."""
    (tmp_path / "file").write_bytes(bytes(range(256)) * 4096)
    contents: dict[str, bytes | Path] = {"a.json": b"{}", "x/y/z.bin": tmp_path / "file", "empty": b""}
    for key, content in contents.items():
        etag = store.write(key, content, None)
        plain = content.read_bytes() if isinstance(content, Path) else content
        assert content_of(store, key) == plain
        assert (store.stat(key).etag, store.stat(key).size) == (etag, len(plain))
        path = store.path(key)
        assert path is None or path.read_bytes() == plain


def test_entries_are_the_objects_right_in_a_folder(store: BundleStore) -> None:
    """However many pages it takes, keys come sorted, none from folders below, beside or above, with their ETags."""
    keys = [f"metadata/m{number}.json" for number in range(2 * PAGE + 1)]
    for key in [*keys[::-1], "metadata/below/a.json", "metadata2/a.json", "a.json", "metadata/.hidden"]:
        store.write(key, key.encode(), None)
    assert [entry.key for entry in store.entries("metadata")] == keys
    assert [store.stat(entry.key) for entry in store.entries("metadata")] == store.entries("metadata")
    assert store.entries("nowhere") == []


def test_an_unchanged_document_is_not_read_again(store: BundleStore) -> None:
    """With its own ETag there is nothing to read; after a change there is."""
    etag = store.write("a.json", b"1", None)
    assert store.read("a.json", etag) is None
    changed = store.write("a.json", b"2", etag)
    assert changed != etag
    assert store.read("a.json", etag) == (b"2", changed)


def test_a_write_replaces_only_what_it_knows(store: BundleStore) -> None:
    """A new key must be new, a replaced object must have the ETag, else StoreConflict and nothing is written."""
    first = store.write("a.json", b"1", None)
    second = store.write("a.json", b"22", first)
    for match in (None, first):
        with pytest.raises(StoreConflict):
            store.write("a.json", b"333", match)
    with pytest.raises(StoreConflict):
        store.write("gone.json", b"1", second)
    assert content_of(store, "a.json") == b"22"
    with pytest.raises(ModelNotFound):
        store.stat("gone.json")


def test_of_many_writers_at_once_one_wins(store: BundleStore) -> None:
    """Eight writers of one new key: one writes, seven are told."""

    def write(number: int) -> int:
        try:
            store.write("a.json", str(number).encode(), None)
        except StoreConflict:
            return -1
        return number

    with ThreadPoolExecutor(8) as pool:
        won = [number for number in pool.map(write, range(8)) if number >= 0]
    assert [str(number).encode() for number in won] == [content_of(store, "a.json")]


@pytest.mark.parametrize(
    "key",
    ["", ".", "none.onnx", "bundles", "../secret", "bundles/../../secret", "/etc/passwd", "a\0b", "a" * 5000, "a//b"],
)
def test_what_is_no_object_is_not_found(store: BundleStore, tmp_path: Path, key: str) -> None:
    """Missing, empty, absolute, climbing and unusable keys and folders are ModelNotFound by every method."""
    (tmp_path / "secret").write_text("not a model")
    store.write("bundles/a.raxe", b"1", None)
    for method in (store.stat, store.read, lambda name: store.download(name, io.BytesIO())):
        with pytest.raises(ModelNotFound):
            method(key)


def test_a_local_store_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails midway, as on a full disk, leaves what was there and nothing else."""
    store = LocalBundleStore(tmp_path / "store")
    etag = store.write("a/b", b"old", None)
    monkeypatch.setattr(Path, "replace", _full)
    with pytest.raises(StoreUnavailable):
        store.write("a/b", b"new", etag)
    assert [path.name for path in (tmp_path / "store" / "a").iterdir()] == ["b"]
    assert (tmp_path / "store" / "a" / "b").read_bytes() == b"old"


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("s3_endpoint")
class TestS3OnABadDay:
    """Whatever S3 answers becomes one of our errors, which names the key."""

    @pytest.mark.parametrize(
        ("status", "error"),
        [(403, StoreDenied), (404, ModelNotFound), (429, StoreUnavailable), (500, StoreUnavailable),
         (503, StoreUnavailable), (400, StoreDenied)],
    )  # fmt: skip
    def test_a_status_is_an_error(self, status: int, error: type[Exception]) -> None:
        """By every method that reads."""
        with bad_server(status) as endpoint:
            store = _impatient(endpoint)
            for method in (store.read, store.stat, lambda key: store.download(key, io.BytesIO())):
                with pytest.raises(error, match="some-key"):
                    method("some-key")

    def test_a_missing_bucket_is_denied(self, s3_endpoint: str) -> None:
        """Trying again would not help."""
        store = bucket_store(s3_endpoint, "raxe-test-none")
        for method in (store.entries, store.read):
            with pytest.raises(StoreDenied, match="NoSuchBucket"):
                method("metadata")

    @pytest.mark.parametrize(
        "answer",
        [
            {"body": b"abc", "pause_s": 1.0},  # silent for longer than the read timeout
            {"body": b"abcdefghij" * 30, "pause_s": 0.02},  # never silent for long, but past the deadline
            {"body": b"abc", "claims": 100},  # breaks off
        ],
    )
    def test_a_slow_or_broken_body_is_unavailable(self, answer: dict[str, object]) -> None:
        """A body that stalls, drips or breaks off does not hold the caller."""
        with bad_server(200, **answer) as endpoint, pytest.raises(StoreUnavailable):  # type: ignore[arg-type]
            _impatient(endpoint).read("some-key")

    def test_no_server_is_unavailable(self) -> None:
        """A refused connection."""
        with bad_server(200) as endpoint:
            pass
        with pytest.raises(StoreUnavailable):
            _impatient(endpoint).entries("metadata")

    def test_a_profile_that_is_not_there_is_denied(self, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wrong profile of this machine is an error of ours, which every caller knows, and no traceback."""
        monkeypatch.setenv("AWS_PROFILE", "not-there")
        with pytest.raises(StoreDenied, match="no client of s3: ProfileNotFound"):
            S3BundleStore("bucket", options=S3Options(endpoint_url=s3_endpoint))

    def test_no_credentials_are_denied(self, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is sent without credentials."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        with pytest.raises(StoreDenied, match="no AWS credentials"):
            _impatient(s3_endpoint).read("some-key")

    def test_errors_are_store_errors(self) -> None:
        """One class catches them all but a missing object."""
        assert all(issubclass(each, StoreError) for each in (StoreDenied, StoreUnavailable, StoreConflict))


def _impatient(endpoint: str) -> S3BundleStore:
    options = S3Options(endpoint, connect_timeout_s=0.5, read_timeout_s=0.3, deadline_s=0.5, attempts=1)
    return S3BundleStore("bucket", "", options)
