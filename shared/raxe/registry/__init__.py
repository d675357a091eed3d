"""What models there are: metadata, and the choice among them."""

from raxe.registry.aliases import promote, roll_back
from raxe.registry.catalog import Catalog
from raxe.registry.comparison import Comparison
from raxe.registry.defaults import Written, set_default
from raxe.registry.discovery import read_catalog
from raxe.registry.documents import dump_metadata, load_metadata, parse_metadata, read_document, save_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.generation import Migration, generate_metadata, migrate_metadata
from raxe.registry.index import Alias, Move
from raxe.registry.measured import record_memory
from raxe.registry.metadata import Metadata, Status
from raxe.registry.publish import publish, pull
from raxe.registry.selection import ABTest, Choice, Outcome, SelectionConfig, Step, Wanted, read_config, select

__all__ = [
    "ABTest",
    "Alias",
    "Catalog",
    "Choice",
    "Comparison",
    "Metadata",
    "Migration",
    "ModelFiles",
    "Move",
    "Outcome",
    "SelectionConfig",
    "Status",
    "Step",
    "Wanted",
    "Written",
    "dump_metadata",
    "generate_metadata",
    "load_metadata",
    "migrate_metadata",
    "parse_metadata",
    "promote",
    "publish",
    "pull",
    "read_catalog",
    "read_config",
    "read_document",
    "record_memory",
    "roll_back",
    "save_metadata",
    "select",
    "set_default",
]
