"""``ModelRegistry``: the models of a store, found, compared, checked and loaded."""

import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from raxe.adapters import KeptStore, Stale
from raxe.bootstrap.cache import ModelCache
from raxe.bootstrap.stores import cache_folder, open_kept_store
from raxe.errors import CacheFailed, ModelError, ModelNotFound, RaxeError
from raxe.protocols import BundleStore
from raxe.registry import (
    Catalog,
    Choice,
    Comparison,
    Metadata,
    ModelFiles,
    Outcome,
    SelectionConfig,
    Status,
    Step,
    Wanted,
    read_catalog,
    read_config,
    select,
)
from raxe.settings import Settings, from_environment

if TYPE_CHECKING:
    from raxe.bootstrap.loading import LoadedModel
    from raxe.bootstrap.validation import Validation
    from raxe.detectors import OnnxDetector

_loaded: "ModelCache[LoadedModel]" = ModelCache()  # of this process: engines and registries share it


class ModelRegistry:
    """The models of a store. Metadata is read now, files when a model is loaded; loaded ones are kept and shared."""

    def __init__(self, store: BundleStore | None = None, *, settings: Settings | None = None) -> None:
        """Reads the catalog of a store, by default that of the settings, which by default are the environment's.

        Of the settings' bucket the last answers are kept in the cache folder. While it does not answer, they stand in
        for it, and ``stale`` says so.

        Raises:
            StoreError: the store does not answer, and nothing of it is kept.
            InvalidSettings: a variable has a wrong value.
        """
        self._settings = settings or from_environment()
        self._store = store or open_kept_store(self._settings)
        self._files = ModelFiles(self._store, cache_folder(self._settings))
        self._catalog: Catalog = read_catalog(self._store, self._files)
        self._answered_at = self.stale.since if self.stale else time.time()

    @property
    def catalog(self) -> Catalog:
        """The models as they were read last."""
        return self._catalog

    @property
    def answered_at(self) -> float:
        """Unix time when the store last answered for the catalog."""
        return self._answered_at

    @property
    def stale(self) -> Stale | None:
        """Why kept answers stand in for the store, and since when; None while the store itself answers."""
        return next(iter(self._store.stale.values()), None) if isinstance(self._store, KeptStore) else None

    @property
    def loaded(self) -> tuple[str, ...]:
        """The ids of the models that this process holds loaded, of whatever registry."""
        return tuple(sorted({str(key[1]) for key in _loaded.kept() if isinstance(key, tuple)}))

    @property
    def errors(self) -> Mapping[str, ModelError]:
        """What is wrong with each model that is not listed, by the name of its file or its id."""
        return self._catalog.errors

    @property
    def files(self) -> ModelFiles:
        """The files of the models, for ``raxe.registry.publish``."""
        return self._files

    def is_here(self, model: Metadata) -> bool:
        """Whether all files of a model are on this machine; their bytes are not read."""
        try:
            return all(self._files.is_here(key, total) for _, key, total in model.file_info.files())
        except ModelNotFound:
            return False

    def list_models(
        self, status: Status | str | None = None, runtime: str | None = None, tags: Collection[str] = ()
    ) -> list[Metadata]:
        """The models by id that have the status, the runtime and all the tags."""
        return self._catalog.list_models(status, runtime, tags)

    def get_model(self, model_id: str) -> Metadata:
        """The model of that id or alias; raises what is wrong with it, or ModelNotFound naming the ids there are."""
        return self._catalog.get_model(model_id)

    def get_best_model(self, criteria: str = "balanced") -> Metadata:
        """The best active model by ``latency | accuracy | balanced | memory``; the rule stands at ``Catalog``."""
        return self._catalog.get_best_model(criteria)

    def select(self, broken: Mapping[str, RaxeError] | None = None, *, rollout: str | None = None) -> Choice:
        """The model that serves and why, and when none does, the first error.

        ``broken`` are models that could not be loaded, by id; ``rollout`` is the champion of a rollout document, empty
        when it names none. ``config.yaml`` is read from the store now.
        """
        config: SelectionConfig | ModelError
        try:
            config = read_config(self._store)
        except ModelError as error:
            config = error
        wanted = Wanted(self._settings.l2_model, rollout, self._settings.l2_model_criteria, config)
        choice = select(self._catalog, wanted, broken or {})
        return replace(choice, steps=(_standing_in(self.stale), *choice.steps)) if self.stale else choice

    def compare_models(self, model_ids: Sequence[str]) -> Comparison:
        """The models' figures side by side, in that order; raises ModelNotFound."""
        return Comparison(tuple(self.get_model(model_id) for model_id in model_ids))

    def create_detector(self, model_id: str | None = None, *, criteria: str = "balanced") -> "OnnxDetector":
        """The detector of a model by id, else of the best by criteria.

        At most ``MODEL_CACHE_SIZE`` loaded models are kept in a process, the least recently used one goes first.

        Raises:
            ModelError: there is no such model, or it cannot be loaded.
            InvalidInput: there is no such criterion.
        """
        return self.load(self.get_model(model_id) if model_id else self.get_best_model(criteria)).detector

    def load(self, model: Metadata) -> "LoadedModel":
        """The model, loaded or kept; raises as ``create_detector``."""
        key = (self._settings, model.model_id, model.file_info)
        return _loaded.get(key, lambda: self._load(model), self._settings.model_cache_size)

    def clean(self, spare_bytes: int | None = None) -> int:
        """The bytes that became free in the cache folder: what no listed model needs and no process uses may go.

        Of that ``spare_bytes`` stay, what was used last; None is a few models. Raises CacheFailed.
        """
        needed = {total for model in self._catalog.models.values() for _, _, total in model.file_info.files()}
        return self._files.clean(needed) if spare_bytes is None else self._files.clean(needed, spare_bytes)

    def _load(self, model: Metadata) -> "LoadedModel":
        from raxe.bootstrap.loading import load_detector  # noqa: PLC0415  (onnxruntime, which listing does not need)

        try:
            loaded = load_detector(model, self._files, self._settings)
        except CacheFailed:
            if not self.clean(spare_bytes=0):
                raise
            loaded = load_detector(model, self._files, self._settings)
        if self._settings.models_url is not None:  # a cache folder of others is not a folder's business
            with suppress(CacheFailed):
                self.clean()
        return loaded

    def validate_model(self, model_id: str) -> "Validation":
        """What holds of a model and what does not, check by check; raises ModelNotFound for an unknown id.

        A name in ``errors`` is one too: its one check says what is wrong.
        """
        from raxe.bootstrap.validation import Check, Validation, validate  # noqa: PLC0415  (10 ms that no scan pays)

        try:
            model = self.get_model(model_id)
        except ModelError as error:
            if isinstance(error, ModelNotFound) and model_id not in self.errors:
                raise
            return Validation(model_id, (Check("metadata", f"{type(error).__name__}: {error}"),))
        return validate(model, self._files, self._settings)

    def reload(self) -> tuple[str, ...]:
        """Reads the catalog again; the ids of models that are new, gone or changed.

        What did not change by its ETag is not read. When the store does not answer, StoreError is raised and the last
        good catalog stays, as do loaded models.
        """
        if isinstance(self._store, KeptStore):
            self._store.ask_again()
        before, after = self._catalog, read_catalog(self._store, self._files, self._catalog)
        if self.stale:
            raise self.stale.error
        self._catalog, self._answered_at = after, time.time()
        ids = before.models.keys() | after.models.keys()
        return tuple(sorted(each for each in ids if before.models.get(each) != after.models.get(each)))


def _standing_in(stale: Stale) -> Step:
    since = datetime.fromtimestamp(stale.since, UTC).isoformat(timespec="seconds")
    reason = f"{type(stale.error).__name__}: {stale.error}; what it said at {since} is used"
    return Step("store", Outcome.FAILED, reason)
