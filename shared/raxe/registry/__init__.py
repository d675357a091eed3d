"""What models there are: metadata, and the choice among them."""

from raxe.registry.metadata import Metadata, Status, load_metadata, save_metadata
from raxe.registry.registry import ModelRegistry

__all__ = ["Metadata", "ModelRegistry", "Status", "load_metadata", "save_metadata"]
