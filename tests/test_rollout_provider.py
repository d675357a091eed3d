"""What is in force: refreshed off the hot path, validated before it replaces, kept when the store fails."""

from threading import Event

import pytest

from raxe.errors import InvalidMetadata, ModelNotFound, RaxeError, RolloutNotFound, StoreUnavailable
from tests.rollout_bench import OFF, ON, TTL_S, Bench, eventually, version


def test_within_its_time_to_live_the_store_is_not_asked() -> None:
    """Ten thousand scans within the time to live are one look, the one at the start."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.now_s += TTL_S * 0.89
    for _ in range(10_000):
        provider.current()
    assert (bench.store.reads, version(provider)) == (1, 1)


def test_a_scan_never_waits_for_the_store() -> None:
    """While the store hangs, scans get what is in force at once, and one thread looks, not one for each scan."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.put(OFF)
    go, waiting = Event(), Event()

    def hang() -> None:
        waiting.set()
        assert go.wait(20)

    bench.store.while_reading = hang
    bench.now_s += TTL_S
    assert version(provider) == 1
    assert waiting.wait(20)
    assert [version(provider) for _ in range(100)] == [1] * 100
    go.set()
    eventually(lambda: version(provider) == 2)
    assert bench.store.reads == 2


def test_a_document_counts_as_old_as_the_look_at_it() -> None:
    """A thread that was frozen in its look for an hour, as Lambda does, brings what is due again at once."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()

    def freeze() -> None:
        bench.now_s += 3600

    bench.store.while_reading = freeze
    provider.refresh()
    assert provider.is_due


@pytest.mark.parametrize("jump_s", [-1e6, -1.0, 1e6])
def test_a_clock_that_jumps_only_makes_it_look(jump_s: float) -> None:
    """Back, as a monotonic clock does on another host, or far ahead: it looks again, and keeps nothing for ever."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.put(OFF)
    states = [provider.is_due]
    bench.now_s += jump_s
    states.append(provider.is_due)
    assert states == [False, True]
    provider.current()
    eventually(lambda: not provider.is_due)
    assert version(provider) == 2


@pytest.mark.parametrize("error", [StoreUnavailable("throttled"), RolloutNotFound("deleted"), RuntimeError("bug")])
def test_when_the_store_fails_the_last_good_document_stays(error: Exception) -> None:
    """It is said by an event each time and by ``error``; afterwards all is well again. Scans carry no failure."""
    bench = Bench()
    bench.put(OFF)
    provider = bench.start()
    assert [(event.version, event.error) for event in provider.drain()] == [(1, None)]
    bench.store.failing = error
    provider.refresh()
    (event,) = provider.drain()
    assert (event.version, type(event.error)) == (1, type(provider.error))
    assert isinstance(event.error, RaxeError)
    assert (version(provider), provider.current().unknown) == (1, None)
    bench.store.failing = None
    provider.refresh()
    assert (version(provider), provider.error) == (1, None)
    assert provider.drain() == []


@pytest.mark.parametrize("content", [b"{", b'{"l2": {"default": 1}}', b" " * 8192])
def test_a_bad_document_never_replaces_a_good_one(content: bytes) -> None:
    """It is an event, and the next good one is taken."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.put(content)
    provider.refresh()
    assert (version(provider), type(provider.error).__name__) == (1, "InvalidRollout")
    bench.put(OFF)
    provider.refresh()
    assert (version(provider), provider.error) == (3, None)


def test_a_champion_that_cannot_be_loaded_never_replaces_one_that_can() -> None:
    """Validated means loaded: an unknown model keeps the last document; when it is there, the new one is taken."""
    bench = Bench()
    bench.put(ON)
    provider = bench.start()
    bench.put(OFF)
    bench.cause = ModelNotFound("no model 'model-z'")
    provider.refresh()
    assert (version(provider), provider.error) == (1, bench.cause)
    bench.cause = None
    provider.refresh()
    assert (version(provider), provider.error) == (2, None)


def test_an_arm_that_cannot_be_loaded_is_tried_again() -> None:
    """The document is in force without it; each look says so until it is there, then the store is left alone."""
    bench = Bench(missing={"challenger": InvalidMetadata("broken")})
    bench.put(ON)
    provider = bench.start()
    events = provider.drain()
    assert [(event.arm, event.version) for event in events] == [(None, 1), ("challenger", 1)]
    provider.refresh()
    assert [event.arm for event in provider.drain()] == ["challenger"]
    bench.missing = {}
    provider.refresh()
    assert (provider.current().missing, provider.drain()) == ({}, [])
    before = provider.current()
    provider.refresh()
    assert provider.current() is before


def test_a_start_without_the_store_goes_on_and_says_so() -> None:
    """No document is in force, every scan will carry why, and the document is taken when it can be had."""
    bench = Bench()
    bench.put(OFF)
    bench.store.failing = StoreUnavailable("away")
    provider = bench.start()
    serving = provider.current()
    assert (serving.rollout, serving.unknown) == (None, bench.store.failing)
    bench.store.failing = None
    provider.refresh()
    assert (version(provider), provider.current().unknown) == (1, None)
