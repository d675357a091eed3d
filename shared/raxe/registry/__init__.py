"""What models there are: metadata, and the choice among them."""

from raxe.registry.catalog import Catalog
from raxe.registry.comparison import Comparison
from raxe.registry.discovery import read_catalog
from raxe.registry.documents import dump_metadata, load_metadata, parse_metadata, read_document, save_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.generation import Migration, generate_metadata, migrate_metadata
from raxe.registry.metadata import Metadata, Status
from raxe.registry.publish import publish

__all__ = [
    "Catalog",
    "Comparison",
    "Metadata",
    "Migration",
    "ModelFiles",
    "Status",
    "dump_metadata",
    "generate_metadata",
    "load_metadata",
    "migrate_metadata",
    "parse_metadata",
    "publish",
    "read_catalog",
    "read_document",
    "save_metadata",
]
