"""What models there are: metadata, and the choice among them."""

from raxe.registry.documents import dump_metadata, load_metadata, parse_metadata, read_document, save_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.generation import Migration, generate_metadata, migrate_metadata
from raxe.registry.metadata import Metadata, Status
from raxe.registry.registry import ModelRegistry

__all__ = [
    "Metadata",
    "Migration",
    "ModelFiles",
    "ModelRegistry",
    "Status",
    "dump_metadata",
    "generate_metadata",
    "load_metadata",
    "migrate_metadata",
    "parse_metadata",
    "read_document",
    "save_metadata",
]
