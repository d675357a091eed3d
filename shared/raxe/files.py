"""Files that are written whole or not at all, and what their bytes are."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Puts what ``write`` writes at the path, readable by all; on an error what was there stays."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:  # also an interrupt must not leave a half-written file; it is raised again
        temporary.unlink(missing_ok=True)
        raise


def file_digest(path: Path) -> str:
    """``sha256:`` and the hex digest of a file's bytes; raises OSError."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
