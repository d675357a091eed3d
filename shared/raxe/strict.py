"""What every document from outside shares: the strict base of its parts, and what is wrong with it in words."""

import re

from pydantic import BaseModel, ConfigDict, ValidationError

_MOST_ERRORS = 5
_FIELD_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # anything else as a key may be somebody's text
_OWN_WORDS = {"extra_forbidden": "is not a known field", "missing": "is required"}


class Strict(BaseModel):
    """What every part of a document is: frozen, without unknown fields, without NaN or infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), allow_inf_nan=False)


def wrong_fields(error: ValidationError) -> str:
    """The path of each wrong field and what it must be, never a value; the first five."""
    found = []
    for item in error.errors(include_input=False, include_url=False, include_context=False)[:_MOST_ERRORS]:
        parts = [part if _FIELD_NAME.fullmatch(part) else "(unknown)" for part in map(str, item["loc"])]
        message = _OWN_WORDS.get(item["type"], item["msg"].removeprefix("Value error, "))
        found.append(f"{'.'.join(parts) or 'file'}: {message}")
    return "; ".join(found)
