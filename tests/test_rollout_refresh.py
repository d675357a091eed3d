"""When the document is looked at: less often where the store fails, at once after a restore, one at a time."""

import random
from threading import Thread

import pytest

from raxe.bootstrap import engine as engine_module
from raxe.bootstrap.rollout import open_rollout
from raxe.errors import InvalidInput, StoreUnavailable
from tests.rollout_bench import OFF, ON, TTL_S, Bench, version


def test_a_store_that_fails_is_asked_less_and_less() -> None:
    """The pause doubles to eight times at most, and is as before when the store answers."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    pauses = []
    bench.store.failing = StoreUnavailable("throttled")
    for _ in range(6):
        provider.refresh()
        pauses.append(provider._pause_s)
    for pause_s, times in zip(pauses, (1, 2, 4, 8, 8, 8), strict=True):
        assert 0.9 * times * TTL_S <= pause_s <= times * TTL_S
    bench.store.failing = None
    provider.refresh()
    assert provider._pause_s <= TTL_S


def test_a_store_that_answers_nonsense_is_asked_as_often_as_ever() -> None:
    """An outage before does not count: whoever mends the document does not wait eight times as long."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.store.failing = StoreUnavailable("throttled")
    for _ in range(5):
        provider.refresh()
    bench.store.failing = None
    bench.put(b"{")
    provider.refresh()
    assert type(provider.error).__name__ == "InvalidRollout"
    assert provider._pause_s <= TTL_S


def test_copies_of_a_snapshot_do_not_look_all_at_once() -> None:
    """Environments that were restored from one snapshot have the same random state, and pause for different times."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    pauses, state = set(), random.getstate()
    for _ in range(10):
        random.setstate(state)
        provider.restored()
        pauses.add(provider._pause_s)
    assert len(pauses) == 10


def test_a_restore_looks_at_once_over_a_new_connection() -> None:
    """A snapshot may be days old by the clock it was taken with; what it had is not served to the first request."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.put(OFF)
    assert version(provider) == 1
    provider.restored()
    assert (version(provider), bench.connections) == (2, 2)


def test_lambda_is_asked_to_call_after_a_restore(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the runtime's own registry; a runtime without that module is no error."""
    hooks = pytest.importorskip("snapshot_restore_py")
    registry: list[object] = []
    monkeypatch.setattr(hooks, "_after_restore_registry", registry)
    provider = Bench().start()
    engine_module._after_restore(provider.restored)
    assert [entry[0] for entry in registry] == [provider.restored]  # type: ignore[index]
    monkeypatch.setitem(__import__("sys").modules, "snapshot_restore_py", None)
    engine_module._after_restore(provider.restored)
    assert len(registry) == 1


def test_refreshes_at_once_are_one() -> None:
    """Whoever comes while another looks goes away."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    with provider._turn:
        threads = [Thread(target=provider.refresh) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert bench.store.reads == 1


@pytest.mark.parametrize("place", ["ssm:raxe", "ssm:", "s3://bucket/rollout", "ssm:/a b", "ssm://a"])
def test_what_is_no_place_is_refused(place: str) -> None:
    """An address of another kind is not taken for a file."""
    with pytest.raises(InvalidInput, match="must be ssm:/name"):
        open_rollout(place)


def test_no_thread_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may have no more threads goes on with what is in force."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()

    def refuse(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    bench.now_s += TTL_S
    assert (version(provider), type(provider.error)) == (1, StoreUnavailable)
    assert not provider.is_due
