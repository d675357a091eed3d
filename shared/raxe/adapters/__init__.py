"""Adapters to the world outside: where model files come from."""

from raxe.adapters.local import LocalModelStore

__all__ = ["LocalModelStore"]
