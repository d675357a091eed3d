"""The composition root: settings -> store -> registry -> detectors -> Scanner. The only place that knows all parts.

Names load on first use: a function that only lists models does not pay for the runtime that loads them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raxe.bootstrap.choosing import pick
    from raxe.bootstrap.engine import Engine, build_engine, build_model_engine, process_engine
    from raxe.bootstrap.golden import Golden
    from raxe.bootstrap.loading import load_detector, load_from_files
    from raxe.bootstrap.models import ModelRegistry
    from raxe.bootstrap.serving import Serving
    from raxe.bootstrap.stores import cache_folder, open_kept_store, open_place, open_store

_HOMES = {
    "choosing": ("pick",),
    "engine": ("Engine", "build_engine", "build_model_engine", "process_engine"),
    "golden": ("Golden",),
    "loading": ("load_detector", "load_from_files"),
    "models": ("ModelRegistry",),
    "serving": ("Serving",),
    "stores": ("cache_folder", "open_kept_store", "open_place", "open_store"),
}

__all__ = [
    "Engine",
    "Golden",
    "ModelRegistry",
    "Serving",
    "build_engine",
    "build_model_engine",
    "cache_folder",
    "load_detector",
    "load_from_files",
    "open_kept_store",
    "open_place",
    "open_store",
    "pick",
    "process_engine",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (any public name)
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"raxe.bootstrap.{module}"), name)
    raise AttributeError(f"module 'raxe.bootstrap' has no attribute {name!r}")
