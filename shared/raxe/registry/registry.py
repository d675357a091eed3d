"""The models there are, and which one to use. Reads metadata only; nothing is loaded here."""

from collections.abc import Callable
from pathlib import PurePosixPath

from raxe.errors import InvalidMetadata, ModelNotFound
from raxe.protocols import BundleStore
from raxe.registry.documents import parse_metadata
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


class ModelRegistry:
    """Models of a store. One broken metadata file never hides the others: it stands in ``errors``."""

    def __init__(self, store: BundleStore) -> None:
        """Reads all metadata of the store."""
        self.errors: dict[str, InvalidMetadata] = {}
        self._models: dict[str, Metadata] = {}
        for entry in store.entries("metadata"):
            name = PurePosixPath(entry.key).name
            if not name.endswith(".json"):
                continue
            try:
                found = store.read(entry.key)
                model = parse_metadata(found[0] if found else b"", name)
            except InvalidMetadata as error:
                self.errors[name] = error
            else:
                self._models[model.model_id] = model

    def list_models(self, status: Status | None = None) -> list[Metadata]:
        """The models by id, of one status or all."""
        return [self._models[i] for i in sorted(self._models) if status in (None, self._models[i].status)]

    def get_model(self, model_id: str) -> Metadata:
        """The model of that id; raises ModelNotFound that names the ids there are."""
        if model_id not in self._models:
            there = ", ".join(sorted(self._models)) or "none"
            raise ModelNotFound(f"no model {model_id!r}; there are: {there}")
        return self._models[model_id]

    def get_best_model(self, criteria: str = "balanced") -> Metadata:
        """The best active model by ``latency | accuracy | balanced | memory``, first id on a tie.

        A model that was never measured loses to any that was. Raises ModelNotFound without an active model.
        """
        active = self.list_models(Status.ACTIVE)
        if not active:
            raise ModelNotFound("no active model")
        return max(active, key=_CRITERIA[criteria])
