"""Loaded models are kept up to a number, and shared by the engines of a process."""

from dataclasses import replace

import pytest

from raxe.bootstrap import build_engine
from raxe.bootstrap.cache import ModelCache
from raxe.classifier import sessions_built
from tests.factories import ModelsFolder


def test_the_least_recently_used_model_goes_first() -> None:
    """With room for two, using the older one again makes the other one go."""
    cache, loads = ModelCache[str](), list[str]()

    def get(key: str) -> str:
        def load() -> str:
            loads.append(key)
            return key.upper()

        return cache.get(key, load, 2)

    assert [get(key) for key in "abacab"] == list("ABACAB")
    assert loads == ["a", "b", "c", "b"]


def test_a_failed_load_is_not_kept() -> None:
    """After an error the next call loads again."""
    cache = ModelCache[int]()
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 // 0, 1)
    assert cache.get("a", lambda: 7, 1) == 7


def test_two_engines_share_one_model(models: ModelsFolder) -> None:
    """A second engine of the same settings builds no session, one of other settings does."""
    build_engine(models.settings)
    before = sessions_built()
    build_engine(models.settings)
    assert sessions_built() == before
    build_engine(replace(models.settings, onnx_num_threads=models.settings.onnx_num_threads + 1))
    assert sessions_built() > before
