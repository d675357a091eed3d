"""Picks the model of a process and loads it, falling back as ``raxe.registry.selection`` says."""

from typing import TYPE_CHECKING

from raxe.bootstrap.loading import LoadedModel
from raxe.bootstrap.models import ModelRegistry
from raxe.errors import RaxeError
from raxe.registry import Choice, Outcome, Step
from raxe.settings import Settings

if TYPE_CHECKING:  # only a process with a rollout document pays for it
    from raxe.rollout import Rollout


def pick(settings: Settings, rollout: "Rollout | None" = None) -> tuple[LoadedModel | None, Choice]:
    """The loaded champion, None for the rules alone, and why it is that one."""
    if not settings.use_onnx_only:
        return None, Choice(None, (Step("USE_ONNX_ONLY", Outcome.PICKED, "is false: the rules alone"),))
    if rollout is not None and not rollout.l2:
        return None, Choice(None, (Step("rollout: l2", Outcome.PICKED, "is off: the rules alone"),))
    try:
        registry = ModelRegistry(settings=settings)
    except RaxeError as error:
        return None, Choice(None, (Step("store", Outcome.FAILED, f"{type(error).__name__}: {error}"),), error)
    broken: dict[str, RaxeError] = {}
    while True:
        choice = registry.select(broken, rollout=None if rollout is None else rollout.champion or "")
        if choice.model is None:
            return None, choice
        try:
            return registry.load(choice.model), choice
        except RaxeError as error:
            broken[choice.model.model_id] = error
