"""Loaded models that are kept: engines of one process share them, the least recently used one goes first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class ModelCache(Generic[T]):
    """At most ``size`` loaded models by key."""

    def __init__(self) -> None:
        """Starts empty."""
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def kept(self) -> tuple[Hashable, ...]:
        """The keys of the models that are kept now."""
        return tuple(self._kept)

    def get(self, key: Hashable, load: Callable[[], T], size: int) -> T:
        """The model of the key, loaded when it is not kept; afterwards at most ``size`` models are kept.

        What ``load`` raises is passed on and nothing is kept. Two callers of one key load it once.
        """
        with self._lock:
            if key not in self._kept:
                self._kept[key] = load()
            self._kept.move_to_end(key)
            while len(self._kept) > size:
                self._kept.popitem(last=False)
            return self._kept[key]
