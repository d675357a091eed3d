"""Adapters to the world outside: where model files come from. ``raxe.adapters.s3`` is imported by who needs it."""

from raxe.adapters.kept import KeptStore, Stale
from raxe.adapters.local import LocalBundleStore

__all__ = ["KeptStore", "LocalBundleStore", "Stale"]
