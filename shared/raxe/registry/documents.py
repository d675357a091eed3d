"""Between metadata and JSON. Every error names the file and the paths of wrong fields, never a value."""

import json
from pathlib import Path

from pydantic import ValidationError

from raxe.errors import InvalidMetadata
from raxe.files import replace_file
from raxe.registry.metadata import Metadata
from raxe.strict import wrong_fields

MAX_DOCUMENT_BYTES = 1_000_000


def parse_metadata(data: bytes, name: str) -> Metadata:
    """The metadata in the bytes of a JSON file called ``name``; raises InvalidMetadata naming each wrong field."""
    if len(data) > MAX_DOCUMENT_BYTES:
        raise InvalidMetadata(f"{name}: is larger than {MAX_DOCUMENT_BYTES} bytes")
    if is_first_schema(data):
        raise InvalidMetadata(f"{name}: schema_version: is of schema 1; `raxe models migrate` makes it 2.0")
    try:
        return Metadata.model_validate_json(data)
    except ValidationError as error:
        raise invalid(name, error) from None


def load_metadata(path: Path) -> Metadata:
    """The metadata in a JSON file; raises InvalidMetadata."""
    return parse_metadata(read_document(path), path.name)


def read_document(path: Path) -> bytes:
    """The bytes of a file, one more than allowed at most; raises InvalidMetadata when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_DOCUMENT_BYTES + 1)
    except OSError as error:
        raise InvalidMetadata(f"{path.name}: {type(error).__name__}") from None


def dump_metadata(metadata: Metadata) -> str:
    """The JSON of a metadata file; equal metadata gives equal text."""
    return json.dumps(metadata.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"


def save_metadata(path: Path, metadata: Metadata) -> None:
    """Writes the file whole or not at all."""
    replace_file(path, lambda file: file.write(dump_metadata(metadata).encode()))


def is_first_schema(data: bytes) -> bool:
    """Whether this is the JSON of a v1 file: it says so, or says nothing and has no ``ml_config``."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or "model_id" not in document:
        return False
    version = document.get("schema_version")
    return str(version).partition(".")[0] == "1" if version is not None else "ml_config" not in document


def invalid(name: str, error: ValidationError) -> InvalidMetadata:
    """The error of a document called ``name``, with the path of each wrong field and what it must be."""
    return InvalidMetadata(f"{name}: {wrong_fields(error)}")
