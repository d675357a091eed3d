"""The composition root: settings -> store -> registry -> detectors -> Scanner. The only place that knows all parts."""

from raxe.bootstrap.engine import Engine, build_engine, process_engine
from raxe.bootstrap.golden import Golden
from raxe.bootstrap.loading import load_detector, load_from_files

__all__ = ["Engine", "Golden", "build_engine", "load_detector", "load_from_files", "process_engine"]
