"""``KeptStore``: what a store said last answers while it fails, and says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from raxe.adapters import KeptStore
from raxe.errors import ModelNotFound, StoreDenied, StoreError, StoreUnavailable
from tests.fakes import FakeStore

DOWN = StoreUnavailable("a.json: S3 answered 503")
OBJECTS = {"a.json": b"1", "metadata/b.json": b"2", "metadata/c.json": b"3"}


@pytest.fixture
def store() -> FakeStore:
    """What is kept."""
    return FakeStore(dict(OBJECTS))


@pytest.fixture
def kept(store: FakeStore, tmp_path: Path) -> Callable[[], KeptStore]:
    """A process that starts over what the last one kept."""
    return lambda: KeptStore(store, tmp_path / "kept")


class TestStore:
    """What is kept and when it answers."""

    def test_the_last_answers_stand_in_while_the_store_fails(
        self, kept: Callable[[], KeptStore], store: FakeStore
    ) -> None:
        """Documents, listings, and that there is no such document: all as the store said it last."""
        first = kept()
        answers = [first.read("a.json"), first.entries("metadata"), first.entries("none")]
        with pytest.raises(ModelNotFound):
            first.read("config.yaml")
        store.failing = DOWN
        second = kept()
        assert [second.read("a.json"), second.entries("metadata"), second.entries("none")] == answers
        with pytest.raises(ModelNotFound):
            second.read("config.yaml")
        assert set(second.stale) == {"a.json", "metadata/", "none/", "config.yaml"}
        assert {each.error for each in second.stale.values()} == {DOWN}
        assert first.stale == {}

    @pytest.mark.parametrize("error", [DOWN, StoreDenied("a.json: S3 answered 403")])
    def test_what_was_never_read_is_the_store_s_error(self, kept: Callable[[], KeptStore], error: StoreError) -> None:
        """Nothing is made up."""
        empty = kept()
        empty._store.failing = error  # type: ignore[attr-defined]
        for method in (empty.read, empty.entries, empty.stat):
            with pytest.raises(type(error)):
                method("a.json")
        assert empty.stale == {}

    def test_the_store_comes_first_as_soon_as_it_answers(self, kept: Callable[[], KeptStore], store: FakeStore) -> None:
        """A document that changed meanwhile is the new one, and nothing is marked any more."""
        second = kept()
        second.read("a.json")
        store.failing = DOWN
        second.read("a.json")
        store.failing, store.objects["a.json"] = None, b"changed"
        found = second.read("a.json")
        assert found
        assert (found[0], second.stale) == (b"changed", {})

    def test_an_unchanged_document_is_not_transferred_again(
        self, kept: Callable[[], KeptStore], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The next start asks with the ETag of what is kept."""
        etag = (kept().read("a.json") or (b"", ""))[1]
        asked: list[str | None] = []

        def unchanged(_: FakeStore, __: str, unless: str | None = None) -> None:
            asked.append(unless)

        monkeypatch.setattr(FakeStore, "read", unchanged)
        assert kept().read("a.json") == (b"1", etag)
        assert kept().read("a.json", etag) is None
        assert asked == [etag, etag]

    def test_after_one_failure_the_other_documents_are_not_waited_for(
        self, kept: Callable[[], KeptStore], store: FakeStore
    ) -> None:
        """A start reads several; each would wait for the timeouts. The one that failed is asked for again."""
        first = kept()
        for key in ("a.json", "metadata/b.json"):
            first.read(key)
        first.entries("metadata")
        store.failing = DOWN
        store.calls.clear()
        second = kept()
        second.read("a.json")
        second.entries("metadata")
        second.read("metadata/b.json")
        second.read("a.json")
        assert store.calls == [("read", "a.json")] * 2
        second.ask_again()
        assert second.stale == {}
        second.entries("metadata")
        assert store.calls[2:] == [("entries", "metadata")]

    @pytest.mark.parametrize("damage", [b"", b"{}", b"half", b'{"key": "a.json", "etag": "x", "sha256": "0"}\n1'])
    def test_a_damaged_kept_document_is_none(
        self, kept: Callable[[], KeptStore], store: FakeStore, tmp_path: Path, damage: bytes
    ) -> None:
        """It is read from the store again, and while that fails it is not used."""
        kept().read("a.json")
        (path,) = (tmp_path / "kept").iterdir()
        path.write_bytes(damage)
        store.failing = DOWN
        with pytest.raises(StoreUnavailable):
            kept().read("a.json")
        store.failing = None
        assert kept().read("a.json", None) is not None

    def test_what_left_the_listing_is_not_kept(
        self, kept: Callable[[], KeptStore], store: FakeStore, tmp_path: Path
    ) -> None:
        """The folder does not grow with every model that ever was."""
        first = kept()
        for entry in first.entries("metadata"):
            first.read(entry.key)
        before = len(list((tmp_path / "kept").iterdir()))
        del store.objects["metadata/c.json"]
        kept().entries("metadata")
        assert len(list((tmp_path / "kept").iterdir())) == before - 1

    def test_a_disk_that_takes_nothing_does_not_stop_a_start(
        self, kept: Callable[[], KeptStore], tmp_path: Path
    ) -> None:
        """The store's answer is given, only not kept."""
        (tmp_path / "kept").write_text("a file where the folder should be")
        assert kept().read("a.json")
        assert len(kept().entries("metadata")) == 2
