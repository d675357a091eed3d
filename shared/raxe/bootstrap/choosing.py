"""Picks the model of a process and loads it, falling back as ``raxe.registry.selection`` says."""

from raxe.bootstrap.loading import LoadedModel
from raxe.bootstrap.models import ModelRegistry
from raxe.errors import RaxeError
from raxe.registry import Choice, Outcome, Step
from raxe.settings import Settings


def pick(settings: Settings) -> tuple[LoadedModel | None, Choice]:
    """The loaded model, None for the rules alone, and why it is that one."""
    if not settings.use_onnx_only:
        return None, Choice(None, (Step("USE_ONNX_ONLY", Outcome.PICKED, "is false: the rules alone"),))
    try:
        registry = ModelRegistry(settings=settings)
    except RaxeError as error:
        return None, Choice(None, (Step("store", Outcome.FAILED, f"{type(error).__name__}: {error}"),), error)
    broken: dict[str, RaxeError] = {}
    while True:
        choice = registry.select(broken)
        if choice.model is None:
            return None, choice
        try:
            return registry.load(choice.model), choice
        except RaxeError as error:
            broken[choice.model.model_id] = error
