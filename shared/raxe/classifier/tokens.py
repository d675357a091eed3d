"""Text -> token ids and their places, without the two special tokens; windows add those."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from raxe.errors import ModelLoadFailed, ModelNotFound


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one text: ``ids[i]`` stands for the characters ``offsets[i]`` of it, half-open."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class TextTokenizer:
    """A ``tokenizer.json`` of the Hugging Face format."""

    def __init__(self, path: Path) -> None:
        """Loads the file; raises ModelNotFound or ModelLoadFailed."""
        if not path.is_file():
            raise ModelNotFound(f"no tokenizer at {path.name}")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise ModelLoadFailed(f"tokenizers refuses {path.name}: {type(error).__name__}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.cls, self.sep, self.pad = (self._special(token, path) for token in ("[CLS]", "[SEP]", "[PAD]"))

    def encode(self, texts: Sequence[str]) -> list[Tokens]:
        """Tokens of each text, in order."""
        return [
            Tokens(encoding.ids, encoding.offsets)
            for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]

    def _special(self, token: str, path: Path) -> int:
        found: int | None = self._tokenizer.token_to_id(token)
        if found is None:
            raise ModelLoadFailed(f"{path.name} lacks {token}")
        return found
