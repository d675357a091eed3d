"""Request bodies of the HTTP API. Unknown fields are refused; the limits here are what the API documents."""

from typing import Annotated, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from raxe.api.problems import InvalidBody
from raxe.values import Source

T = TypeVar("T", bound=BaseModel)

MAX_MESSAGES = 200
MAX_BATCH = 100
MAX_EXPLAINED = 20  # items of a batch; each may cost as much as sixteen full windows more
MAX_BATCH_TEXTS = 1000  # messages of all items of a batch; more would not be done before the function times out
# Strict: a number is no text and a number is no boolean, whatever JSON library the caller uses.
ModelId = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z0-9][a-z0-9.-]{2,63}$")]
Subject = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=256)]


class Strict(BaseModel):
    """A body: frozen, without unknown fields, and no error of it repeats what was sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, protected_namespaces=())


class Message(Strict):
    """One message of a conversation, as LLM APIs write it."""

    role: Literal["system", "user", "assistant", "tool"]
    content: StrictStr


class ScanRequest(Strict):
    """Body of ``POST /v1/scan``: a text, or the messages of a conversation.

    Messages are scanned each for itself, all but those of role system and assistant: these are the operator's and the
    model's own. A tool message counts as source tool, a user message as ``source``. The answer is the worst message's.
    """

    text: StrictStr | None = None
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)] | None = None
    source: Source = Source.USER
    subject: Subject | None = None
    model_id: ModelId | None = None
    explain: StrictBool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "ScanRequest":
        if (self.text is None) == (self.messages is None):
            raise ValueError("must have either text or messages")
        return self

    @property
    def characters(self) -> int:
        """Length of all that is to be scanned."""
        return sum(len(text) for text, _, _ in self.parts())

    def parts(self) -> list[tuple[str, Source, str]]:
        """Text, source and field path of each part to scan; empty when no message is of a scanned role."""
        if self.messages is None:
            return [(self.text or "", self.source, "text")]
        return [
            (message.content, Source.TOOL if message.role == "tool" else self.source, f"messages.{i}.content")
            for i, message in enumerate(self.messages)
            if message.role in {"user", "tool"}
        ]


class BatchRequest(Strict):
    """Body of ``POST /v1/scan/batch``; items are checked one by one, so that a bad one does not fail the others."""

    items: Annotated[list[object], Field(min_length=1, max_length=MAX_BATCH)]


def parse(kind: type[T], body: str | bytes) -> T:
    """The checked body; raises InvalidBody for what is no JSON, ValidationError for what is another thing."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"] in {"json_invalid", "string_unicode"} and not first["loc"]:
            raise InvalidBody(
                "must be JSON in UTF-8 without lone surrogates, nested at most 200 deep", field="body"
            ) from None
        raise
