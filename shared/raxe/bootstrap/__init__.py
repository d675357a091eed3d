"""The composition root: settings -> store -> registry -> detectors -> Scanner. The only place that knows all parts."""

from raxe.bootstrap.choosing import pick
from raxe.bootstrap.engine import Engine, build_engine, process_engine
from raxe.bootstrap.golden import Golden
from raxe.bootstrap.loading import load_detector, load_from_files
from raxe.bootstrap.models import ModelRegistry
from raxe.bootstrap.stores import cache_folder, open_place, open_store

__all__ = [
    "Engine",
    "Golden",
    "ModelRegistry",
    "build_engine",
    "cache_folder",
    "load_detector",
    "load_from_files",
    "open_place",
    "open_store",
    "pick",
    "process_engine",
]
