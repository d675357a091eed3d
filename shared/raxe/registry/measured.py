"""A measured figure -> the metadata of a model, which stays whole and otherwise as it is."""

from raxe.errors import InvalidMetadata, ModelConflict
from raxe.protocols import BundleStore
from raxe.registry.discovery import read_catalog
from raxe.registry.documents import dump_metadata, parse_metadata
from raxe.registry.files import ModelFiles
from raxe.registry.index import INDEX, update


def record_memory(store: BundleStore, files: ModelFiles, model_id: str, memory_mb: float) -> str:
    """The key of the metadata file, whose ``performance.memory_mb`` is now this figure.

    Raises:
        ModelConflict: the catalog is a published index; the figure goes there by publishing.
        InvalidMetadata: the model has no metadata file, or no latency figures that the memory would stand beside.
        StoreError: the store cannot be written.
    """
    catalog = read_catalog(store, files)
    if INDEX in catalog.etags:
        raise ModelConflict(f"{model_id}: is published; write the figure where it comes from and publish it again")
    model = catalog.get_model(model_id)
    keys = [key for key, each in catalog.documents.items() if each is model and key.startswith("metadata/")]
    if not keys:
        raise InvalidMetadata(f"{model_id}: has no metadata file")
    update(store, keys[0], lambda data: _with(data, keys[0], memory_mb))
    return keys[0]


def _with(data: bytes | None, key: str, memory_mb: float) -> bytes:
    model = parse_metadata(data or b"", key)
    if model.performance is None:
        raise InvalidMetadata(f"{key}: performance: is not measured; `raxe-ml benchmark` does that")
    performance = model.performance.model_copy(update={"memory_mb": memory_mb})
    return dump_metadata(model.model_copy(update={"performance": performance})).encode()
