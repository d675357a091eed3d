"""The argument that names a model, completed by the shell from the registry."""

from typing import Annotated

import typer

from raxe.bootstrap import ModelRegistry
from raxe.errors import RaxeError


def known_ids(incomplete: str) -> list[str]:
    """The ids of the registry that begin so; none when it cannot be read, since a shell has no place for an error."""
    try:
        return [model.model_id for model in ModelRegistry().list_models() if model.model_id.startswith(incomplete)]
    except RaxeError:
        return []


ModelId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the model.", show_default=False, autocompletion=known_ids)
]
