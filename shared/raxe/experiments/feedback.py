"""A label for an answer as it comes from outside: over HTTP, or as a line of a file."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from raxe.values.experiments import Feedback, Label

RequestId = Annotated[str, StringConstraints(strict=True, pattern=r"^[!-~]{1,128}$")]
TextSha256 = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]


class FeedbackRequest(BaseModel):
    """What a text really was, found by its request, its text or both. Errors never repeat what was sent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    request_id: RequestId | None = None
    text_sha256: TextSha256 | None = None
    label: Label

    @model_validator(mode="after")
    def _one_at_least(self) -> "FeedbackRequest":
        if self.request_id is None and self.text_sha256 is None:
            raise ValueError("must have request_id, text_sha256 or both")
        return self

    @property
    def feedback(self) -> Feedback:
        """The same as a value of the library."""
        return Feedback(self.label, self.request_id, self.text_sha256)
