"""The models there are, as one value, and which one to use. Reads metadata only; nothing is loaded here."""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from raxe.errors import InvalidInput, ModelError, ModelNotFound
from raxe.registry.metadata import Metadata, Status


def _latency(model: Metadata) -> float:
    return -model.performance.latency_p95_ms if model.performance else float("-inf")


def _accuracy(model: Metadata) -> float:
    return model.accuracy.balanced_accuracy if model.accuracy else float("-inf")


def _memory(model: Metadata) -> float:
    return -model.file_info.size_mb


def _balanced(model: Metadata) -> float:
    # One point of balanced accuracy is worth one millisecond at P95: past that an application feels the wait more.
    return _accuracy(model) * 100 + _latency(model)


_CRITERIA: dict[str, Callable[[Metadata], float]] = {
    "latency": _latency, "accuracy": _accuracy, "memory": _memory, "balanced": _balanced,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a store held when it was read.

    Attributes:
        models: by id.
        errors: what is wrong with each model that is not in ``models``, by the name of its file or its id.
        etags: of each document that was read, by key.
        documents: the metadata in each of them, by key.
        aliases: the id that each alias of the index points to.
    """

    models: Mapping[str, Metadata] = field(default_factory=dict)
    errors: Mapping[str, ModelError] = field(default_factory=dict)
    etags: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, Metadata] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    @property
    def etag(self) -> str | None:
        """The index's ETag, without an index a digest of all ETags, None when nothing was read."""
        if len(self.etags) == 1:
            return next(iter(self.etags.values()))
        text = json.dumps(sorted(self.etags.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:32] if self.etags else None

    def list_models(
        self, status: Status | str | None = None, runtime: str | None = None, tags: Collection[str] = ()
    ) -> list[Metadata]:
        """The models by id that have the status, the runtime and all the tags."""
        return [
            model
            for _, model in sorted(self.models.items())
            if status in (None, model.status)
            and runtime in (None, model.deployment.runtime)
            and set(tags) <= set(model.tags)
        ]

    def get_model(self, model_id: str) -> Metadata:
        """The model of that id or alias; raises what is wrong with it, or ModelNotFound naming the ids there are."""
        model_id = model_id if model_id in self.models else self.aliases.get(model_id, model_id)
        for name in (model_id, f"{model_id}.json", f"{model_id}.raxe"):
            if name in self.errors and model_id not in self.models:
                raise self.errors[name]
        if model_id not in self.models:
            there = ", ".join(sorted(self.models)) or "none"
            raise ModelNotFound(f"no model {model_id!r}; there are: {there}")
        return self.models[model_id]

    def get_best_model(self, criteria: str = "balanced", *, measured: bool = False) -> Metadata:
        """The best active model, the first id on a tie; one that was never measured loses to any that was.

        With ``measured`` only models with figures of speed and of accuracy are looked at.

        ``latency``: least P95. ``accuracy``: most balanced accuracy. ``memory``: least bytes on disk.
        ``balanced``: most balanced accuracy in percent less P95 in milliseconds.

        Raises:
            ModelNotFound: no model is active.
            InvalidInput: there is no such criterion.
        """
        if criteria not in _CRITERIA:
            raise InvalidInput(f"must be one of {', '.join(_CRITERIA)}", field="criteria")
        active = [
            model
            for model in self.list_models(Status.ACTIVE)
            if not measured or (model.performance is not None and model.accuracy is not None)
        ]
        if not active:
            raise ModelNotFound("no active model has measured figures" if measured else "no active model")
        return max(active, key=_CRITERIA[criteria])
