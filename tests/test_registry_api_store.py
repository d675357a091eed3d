"""How the model routes ask their store: once a while, by ETag, at a reload by who may; and what a failing one means."""

from collections.abc import Mapping
from typing import Any

import pytest

from raxe.errors import StoreDenied, StoreUnavailable
from raxe.registry.index import INDEX
from tests.factories import MODEL_ID
from tests.served import IAM, Served

DOWN = StoreUnavailable("index.json: S3 answered 503")


class TestReload:
    """The one route that changes something."""

    @pytest.mark.parametrize(
        ("authorizer", "status"),
        [
            (IAM, 200),
            ({"jwt": {"claims": {"scope": "raxe/scan raxe/admin"}}}, 200),
            ({"jwt": {"claims": {"scp": "[raxe/scan raxe/admin]"}}}, 200),
            ({"jwt": {"claims": {"scope": "raxe/administrator raxe/scan"}}}, 403),
            ({"jwt": {"claims": {"sub": "raxe/admin"}}}, 403),
            ({"jwt": {"claims": None}}, 403),
            ({"jwt": {"claims": {"scope": "raxe/scan"}, "scopes": ["raxe/admin"]}, **IAM}, 403),
            ({"iam": None}, 403), ({"iam": {}}, 403), ({"lambda": {"admin": True}}, 403), ({}, 403), (None, 403),
        ],
    )  # fmt: skip
    def test_wants_the_scope(self, served: Served, authorizer: Mapping[str, Any] | None, status: int) -> None:
        """A token without it, and a caller that nobody proved, are refused before anything is read."""
        answer = served.reload(authorizer)
        assert answer.status == status
        assert bool(served.store.calls) == (status == 200)

    def test_tells_what_changed(self, served: Served) -> None:
        """Since this environment last read; parameters are refused."""
        handler = served.with_ttl(999)
        assert handler.reload().body["changed"] == ["second", MODEL_ID]
        served.edit_index(lambda index: index["models"].pop("second"))
        assert handler.get().body["count"] == 2
        assert handler.reload().body["changed"] == ["second"]
        assert handler.get().body["count"] == 1
        assert handler.reload(force="1").status == 422


class TestStore:
    """How the function asks the store."""

    def test_it_is_asked_once_a_while(self, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        """Within the time to live nothing is asked; after it the index, which is read only when its ETag changed."""
        now = [1_000_000.0]
        monkeypatch.setattr("raxe.api.registry_service.time.time", lambda: now[0])
        lasting = served.with_ttl(60)
        for _ in range(3):
            lasting.get()
        assert served.store.calls == [("read", INDEX)]
        now[0] += 61
        assert lasting.get().body["count"] == 2
        assert served.store.calls == [("read", INDEX)] * 2
        served.edit_index(lambda index: index["models"].pop("second"))
        assert lasting.get().body["count"] == 2
        now[0] += 61
        assert lasting.get().body["count"] == 1
        now[0] -= 1000  # a clock that was set back does not stop the asking
        served.edit_index(lambda index: index["models"].clear())
        assert lasting.get().body["count"] == 0

    @pytest.mark.parametrize("error", [DOWN, StoreDenied("index.json: S3 answered AccessDenied")])
    def test_while_it_fails_the_last_catalog_answers(self, served: Served, error: StoreUnavailable) -> None:
        """Marked as stale with its age, in the answer, the log and the metrics; a reload says 503."""
        served.get()
        served.store.failing = error
        answer = served.get()
        assert (answer.status, answer.body["count"]) == (200, 2)
        assert (answer.body["catalog"]["stale"], answer.body["catalog"]["error"]) == (
            True, f"{type(error).__name__}: {error}",
        )  # fmt: skip
        assert "catalog is stale" in answer.logs
        failed = served.reload()
        assert (failed.status, failed.body["title"]) == (503, "The store of models does not answer")
        served.store.failing = None
        assert not served.get().body["catalog"]["stale"]

    def test_without_any_catalog_it_is_unavailable(self, served: Served) -> None:
        """And the next request tries again."""
        served.store.failing = DOWN
        for path in ("", "/best", "/status", f"/{MODEL_ID}"):
            assert served.get(path).status == 503
        served.store.failing = None
        assert served.get().status == 200
