"""Writes ``config.yaml``: the model that serves by default. The file changes whole or not at all."""

import re
from dataclasses import dataclass

import yaml

from raxe.errors import InvalidMetadata, ModelNotFound
from raxe.protocols import BundleStore
from raxe.registry.selection import CONFIG, SelectionConfig, parse_config


@dataclass(frozen=True, slots=True)
class Written:
    """What the file says now, and whether its comments are still there."""

    config: SelectionConfig
    kept_comments: bool


def set_default(store: BundleStore, model_id: str) -> Written:
    """Makes ``config.yaml`` name one model; its other keys stay, and its comments where it has a key a line.

    Raises:
        InvalidMetadata: the file that is there is damaged; it is left alone.
        StoreConflict: somebody else wrote it meanwhile.
        StoreError: the store does not answer.
    """
    try:
        found = store.read(CONFIG)
    except ModelNotFound:
        found = None
    old, etag = found or (b"", None)
    changes = {"selection": "explicit", "explicit_model_id": model_id}
    wanted = SelectionConfig.model_validate({**parse_config(old).model_dump(), **changes})
    edited = _edited(old.decode(errors="replace"), changes)
    kept = _says(edited, wanted)
    if not kept:
        edited = yaml.safe_dump(wanted.model_dump(), sort_keys=False)
    if edited.encode() != old:
        store.write(CONFIG, edited.encode(), etag)
    return Written(wanted, kept)


def _edited(text: str, changes: dict[str, str]) -> str:
    """The text with the value of each key replaced in its line, or the key in a line of its own at the end."""
    for key, value in changes.items():
        line = re.compile(rf"^{key}:[ \t]*[^\s#]*(?=\s|$)", re.MULTILINE)
        # Quoted: an id such as 1.0 or null would be something else in YAML.
        new = f"{key}: {value if key == 'selection' else _plain(value)}"
        text, count = line.subn(lambda _, new=new: new, text)  # type: ignore[misc]
        if not count:
            text += f"{'' if text.endswith(chr(10)) or not text else chr(10)}{new}\n"
    return text


def _plain(value: str) -> str:
    """The value as YAML reads it back: plain where it can be nothing else, else in quotes."""
    return value if re.fullmatch(r"[a-z][a-z0-9-]*-[a-z0-9.-]*", value) else f'"{value}"'


def _says(text: str, wanted: SelectionConfig) -> bool:
    try:
        return parse_config(text.encode()) == wanted
    except InvalidMetadata:
        return False
