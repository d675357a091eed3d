"""Errors -> RFC 9457 problem JSON, in one table. A problem names the field and what it must be, never its value."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus

from pydantic import ValidationError

from raxe.errors import (
    ExperimentNotFound,
    ExperimentStoreFailed,
    InvalidInput,
    ModelNotFound,
    RaxeError,
    ScanNotFound,
    StoreError,
    TextEmpty,
    TextTooLarge,
)

CONTENT_TYPE = "application/problem+json"
_UNKNOWN, _NOT_KNOWN = "(unknown)", "is not a known field"


class InvalidBody(InvalidInput):
    """The body is no JSON object."""


class ModelNotAllowed(InvalidInput):
    """The request names a model that this function does not serve."""


class UnknownModel(InvalidInput):
    """The registry has no model of that id or alias."""


class BrokenModel(InvalidInput):
    """The registry has a model of that id, but it is damaged; the status route says how."""


class ScopeMissing(RaxeError):
    """The caller may not do this."""


# From the class of an error to its status and title; the first class that fits, so subclasses stand first.
_TABLE: tuple[tuple[type[RaxeError], HTTPStatus, str], ...] = (
    (TextTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The text is too large"),
    (TextEmpty, HTTPStatus.UNPROCESSABLE_ENTITY, "The text is empty"),
    (InvalidBody, HTTPStatus.BAD_REQUEST, "The body is not valid JSON"),
    (ModelNotAllowed, HTTPStatus.UNPROCESSABLE_ENTITY, "The model is not available"),
    (UnknownModel, HTTPStatus.NOT_FOUND, "The model was not found"),
    (BrokenModel, HTTPStatus.CONFLICT, "The model is damaged"),
    (InvalidInput, HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid"),
    (ModelNotFound, HTTPStatus.NOT_FOUND, "The model was not found"),
    (ExperimentNotFound, HTTPStatus.NOT_FOUND, "There is no such experiment"),
    (ScanNotFound, HTTPStatus.NOT_FOUND, "No such scan is remembered"),
    (ExperimentStoreFailed, HTTPStatus.SERVICE_UNAVAILABLE, "The store of experiments does not answer"),
    (ScopeMissing, HTTPStatus.FORBIDDEN, "The caller may not do this"),
    (StoreError, HTTPStatus.SERVICE_UNAVAILABLE, "The store of models does not answer"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, ready to be sent.

    Attributes:
        errors: ``{"field": dotted path, "message": what it must be}`` for each wrong field.
    """

    status: HTTPStatus
    title: str
    errors: tuple[dict[str, str], ...] = field(default_factory=tuple)

    @property
    def known_fields(self) -> list[str]:
        """The wrong fields for the log; the name of an unknown one is the caller's own text and reads ``(unknown)``."""
        return [_UNKNOWN if entry["message"] == _NOT_KNOWN else entry["field"] for entry in self.errors]

    def body(self, request_id: str) -> dict[str, object]:
        """The JSON object of RFC 9457."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": int(self.status),
            "errors": list(self.errors),
            "request_id": request_id,
        }


def problem_of(error: Exception) -> Problem:
    """The problem an error becomes; an error that is not in the table is a 500 that says nothing of its cause."""
    if isinstance(error, ValidationError):
        return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid", _fields(error))
    for kind, status, title in _TABLE:
        if isinstance(error, kind):
            fields = ({"field": error.field, "message": str(error)},) if isinstance(error, InvalidInput) else ()
            return Problem(status, title, fields)
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong")


# pydantic's messages that quote the input or speak of Python; everything else it says is safe to pass on.
_OWN_WORDS = {
    "extra_forbidden": _NOT_KNOWN,
    "missing": "is required",
    "model_type": "must be an object",
}
_FIELD_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")  # a name a caller may have misspelt; anything else could be the text


def _fields(error: ValidationError) -> tuple[dict[str, str], ...]:
    found = []
    for item in error.errors(include_input=False, include_url=False, include_context=False)[:20]:
        parts = [str(part) for part in item["loc"]]
        path = ".".join(part if _FIELD_NAME.fullmatch(part) else _UNKNOWN for part in parts)
        found.append(
            {
                "field": path or "body",
                "message": _OWN_WORDS.get(item["type"], item["msg"].removeprefix("Value error, ")),
            }
        )
    return tuple(found)
