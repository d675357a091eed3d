"""A models folder on disk: a checkout, a Lambda layer or an EFS mount."""

from pathlib import Path, PurePosixPath

from raxe.errors import ModelNotFound


class LocalModelStore:
    """Files below one folder."""

    def __init__(self, folder: Path) -> None:
        """Takes the folder; it need not exist, then there are no models."""
        self._folder = folder

    def metadata_files(self) -> list[Path]:
        """The files of ``metadata/``, sorted by name."""
        return sorted((self._folder / "metadata").glob("*.json"))

    def fetch(self, relative: str) -> Path:
        """The path of a file; raises ModelNotFound when it is missing or its name leads out of the folder."""
        name = PurePosixPath(relative)
        path = self._folder / name
        try:
            found = not name.is_absolute() and ".." not in name.parts and path.is_file()
        except (OSError, ValueError):  # a name that is too long, or with NUL
            found = False
        if not found:
            raise ModelNotFound(f"no model file {relative}")
        return path
