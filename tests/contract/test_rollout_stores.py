"""``RolloutStore``: the file, the SSM parameter and the fake of the tests keep the same promises."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from raxe.adapters.rollout_file import FileRolloutStore
from raxe.adapters.ssm import SsmOptions, SsmRolloutStore
from raxe.errors import InvalidRollout, RolloutNotFound, StoreConflict, StoreDenied, StoreError, StoreUnavailable
from raxe.protocols import RolloutStore
from raxe.rollout import previous
from tests.fakes import FakeRolloutStore
from tests.s3 import bad_server
from tests.ssm import before_put, new_name, parameter_store, ssm_client

STORES: dict[str, Callable[[Path, str], RolloutStore]] = {
    "file": lambda folder, _: FileRolloutStore(folder / "somewhere" / "rollout.json"),
    "ssm": lambda _, endpoint: parameter_store(endpoint),
    "fake": lambda _, __: FakeRolloutStore(),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path, ssm_endpoint: str) -> RolloutStore:
    """Each store, empty."""
    return STORES[request.param](tmp_path, ssm_endpoint)


def kept(store: RolloutStore) -> list[tuple[int, bytes, str]]:
    """Number, content and note of each version."""
    return [(each.version, each.content, each.note) for each in store.history()]


def test_a_document_comes_back_as_it_was_written(store: RolloutStore) -> None:
    """Byte by byte, with its number and note, and the time in UTC; before the first one there is none."""
    with pytest.raises(RolloutNotFound):
        store.read()
    assert store.history() == []
    assert store.write('{"a": "ä€"}\n'.encode(), 0, "set") == 1
    found = store.read()
    assert (found.content.decode(), found.version) == ('{"a": "ä€"}\n', 1)
    assert found.at.endswith("+00:00")


def test_versions_are_kept_in_order(store: RolloutStore) -> None:
    """Numbers rise by one, equal contents are versions of their own, the one in force is the last."""
    for number in range(60):
        assert store.write(b"same" if number % 2 else f"{number}".encode(), number, f"edit {number}") == number + 1
    assert kept(store) == [(n + 1, b"same" if n % 2 else f"{n}".encode(), f"edit {n}") for n in range(60)]
    assert store.read().version == 60


def test_a_write_replaces_only_the_version_it_knows(store: RolloutStore) -> None:
    """Another version in force is StoreConflict, and what is in force stays."""
    with pytest.raises(StoreConflict):
        store.write(b"x", 1, "too early")
    store.write(b"1", 0, "first")
    store.write(b"2", 1, "second")
    for expected in (0, 1, 3):
        with pytest.raises(StoreConflict):
            store.write(b"x", expected, "wrong")
    assert kept(store) == [(1, b"1", "first"), (2, b"2", "second")]


def test_of_many_writers_at_once_one_wins(store: RolloutStore) -> None:
    """Eight writers over one version: one is told that it wrote, its document is in force, the others are refused."""
    store.write(b"before", 0, "first")

    def write(number: int) -> int | None:
        try:
            return store.write(f"writer {number}".encode(), 1, "race") and number
        except StoreConflict:
            return None

    with ThreadPoolExecutor(8) as pool:
        won = [number for number in pool.map(write, range(1, 9)) if number]
    assert [f"writer {number}".encode() for number in won] == [store.read().content]
    assert previous(store.history()).content == b"before"


@pytest.mark.parametrize("content", [b"", b"\xff", b"x" * 8193])
def test_what_no_store_takes_is_refused(store: RolloutStore, content: bytes) -> None:
    """Nothing, no UTF-8 and too much are InvalidRollout, and nothing is written."""
    with pytest.raises(InvalidRollout):
        store.write(content, 0, "set")
    assert store.history() == []


def test_a_hundred_versions_are_kept(store: RolloutStore) -> None:
    """As SSM keeps them: the oldest go."""
    for number in range(105):
        store.write(b"%d" % number, number, "edit")
    assert [each.version for each in store.history()] == list(range(6, 106))


class TestFile:
    """What only the file can meet."""

    def test_an_edit_by_hand_is_a_version(self, tmp_path: Path) -> None:
        """It is read at once, and the next write keeps it in the history."""
        path = tmp_path / "rollout.json"
        path.write_bytes(b"by hand")
        store = FileRolloutStore(path)
        assert (store.read().version, store.read().content) == (1, b"by hand")
        assert store.write(b"2", 1, "set") == 2
        path.write_bytes(b"by hand again")
        with pytest.raises(StoreConflict):
            store.write(b"4", 2, "set")
        assert store.write(b"4", 3, "set") == 4
        assert [each.content for each in store.history()] == [b"by hand", b"2", b"by hand again", b"4"]

    def test_a_write_that_breaks_off_leaves_the_document(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A full disk is StoreUnavailable; what was in force is, whole, and no half file lies about."""
        store = FileRolloutStore(tmp_path / "rollout.json")
        store.write(b"1", 0, "set")
        before = sorted(path.name for path in tmp_path.iterdir())
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", _full)
            with pytest.raises(StoreUnavailable):
                store.write(b"2", 1, "set")
        assert kept(store) == [(1, b"1", "set")]
        assert sorted(path.name for path in tmp_path.iterdir()) == before

    def test_a_damaged_history_is_said(self, tmp_path: Path) -> None:
        """Version numbers are not made up."""
        store = FileRolloutStore(tmp_path / "rollout.json")
        store.write(b"1", 0, "set")
        (tmp_path / "rollout.json.history.json").write_text("[1]")
        with pytest.raises(StoreUnavailable, match="damaged"):
            store.read()

    def test_a_file_without_permission_is_denied(self, tmp_path: Path) -> None:
        """A folder in the place of the file is unavailable, as any other failure of the disk."""
        (tmp_path / "rollout.json").mkdir()
        with pytest.raises(StoreError):
            FileRolloutStore(tmp_path / "rollout.json").read()


class TestSsm:
    """What only SSM can meet."""

    def test_the_faster_of_two_writers_stays_in_force(self, ssm_endpoint: str) -> None:
        """A rival writes between our look and our write: we are refused, theirs is in force, a rollback passes ours."""
        name = new_name()
        slow, fast = parameter_store(ssm_endpoint, name), parameter_store(ssm_endpoint, name)
        slow.write(b"1", 0, "set")
        before_put(slow, lambda: fast.write(b"fast", 1, "canary 10"))
        with pytest.raises(StoreConflict):
            slow.write(b"slow", 1, "canary 50")
        assert fast.read().content == b"fast"
        assert previous(fast.history()).content == b"1"

    def test_an_edit_in_the_console_stays_in_force(self, ssm_endpoint: str) -> None:
        """Somebody without our notes is not overwritten either, nor taken for ours because the description stays."""
        name, client = new_name(), ssm_client(ssm_endpoint)
        store = parameter_store(ssm_endpoint, name)
        store.write(b"1", 0, "set")
        before_put(store, lambda: client.put_parameter(Name=name, Value="theirs", Overwrite=True))
        with pytest.raises(StoreConflict):
            store.write(b"2", 1, "set")
        assert store.read().content == b"theirs"
        assert [each.note for each in store.history()] == ["set", "", "set", "rollback to 2"]

    def test_a_writer_that_died_is_cleaned_up_after(self, ssm_endpoint: str) -> None:
        """A version that was written over one its writer had not seen is never built upon."""
        name = new_name()
        store = parameter_store(ssm_endpoint, name)
        store.write(b"1", 0, "set")
        store.write(b"2", 1, "set")
        # What a writer that died right after its write leaves: the number it expected is not the one it got.
        assert store._put("lost", 2, "set") == 3
        with pytest.raises(StoreConflict):
            store.write(b"3", 3, "set")
        assert (store.read().version, store.read().content) == (4, b"2")
        assert store.write(b"5", 4, "set") == 5

    def test_a_write_whose_answer_was_lost_is_no_conflict(self, ssm_endpoint: str) -> None:
        """The client tries again and gets a later number; the document is ours all the same."""
        store = parameter_store(ssm_endpoint)
        store.write(b"1", 0, "set")
        before_put(store, lambda: store._put("2", 2, "set"))
        version = store.write(b"2", 1, "set")
        assert (store.read().version, store.read().content) == (version, b"2")

    def test_more_than_four_kilobytes_need_an_advanced_parameter(self, ssm_endpoint: str) -> None:
        """It costs money, so that somebody has to have made it one; then 8 KB go in."""
        name = new_name()
        store = parameter_store(ssm_endpoint, name)
        store.write(b"x" * 4096, 0, "set")
        for expected in (0, 1):
            with pytest.raises(InvalidRollout, match="advanced"):
                store.write(b"x" * 4097, expected, "set")
        ssm_client(ssm_endpoint).put_parameter(Name=name, Value="2", Overwrite=True, Tier="Advanced")
        assert store.write(b"x" * 8192, 2, "set") == 3
        assert {entry.advanced for entry in store._entries()[1:]} == {True}

    @pytest.mark.usefixtures("ssm_endpoint")
    @pytest.mark.parametrize(
        ("status", "code", "error"),
        [
            (400, "AccessDeniedException", StoreDenied),
            (400, "ThrottlingException", StoreUnavailable),
            (400, "ParameterNotFound", RolloutNotFound),
            (400, "TooManyUpdates", StoreConflict),
            (500, "InternalServerError", StoreUnavailable),
            (503, "", StoreUnavailable),
        ],
    )
    def test_an_answer_of_ssm_is_one_of_our_errors(self, status: int, code: str, error: type[Exception]) -> None:
        """By name of the parameter, never by its value."""
        body = f'{{"__type": "{code}"}}'.encode() if code else b""
        with bad_server(status, body=body) as endpoint, pytest.raises(error, match="/some/name"):
            SsmRolloutStore("/some/name", SsmOptions(endpoint, attempts=1)).read()

    @pytest.mark.usefixtures("ssm_endpoint")
    def test_a_server_that_is_silent_or_gone_is_unavailable(self) -> None:
        """Within the timeouts."""
        with bad_server(200, body=b"{}", pause_s=1.0) as endpoint:
            options = SsmOptions(endpoint, connect_timeout_s=0.2, read_timeout_s=0.2, attempts=1)
            with pytest.raises(StoreUnavailable):
                SsmRolloutStore("/some/name", options).read()
        with pytest.raises(StoreUnavailable):
            SsmRolloutStore("/some/name", options).history()

    def test_no_credentials_are_denied(self, ssm_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is sent without credentials."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        with pytest.raises(StoreDenied, match="no AWS credentials"):
            parameter_store(ssm_endpoint).read()


def _full(*_: object) -> None:
    raise OSError(28, "No space left on device")
