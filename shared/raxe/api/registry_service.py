"""The registry over HTTP without its transport: one catalog, asked of the store again after a while."""

import time
from contextlib import suppress

from raxe.api.problems import BrokenModel, UnknownModel
from raxe.api.registry_bodies import (
    BestQuery,
    BrokenBody,
    CacheBody,
    CatalogBody,
    CompareQuery,
    CompareResponse,
    ListQuery,
    ModelResponse,
    ModelsResponse,
    ReloadResponse,
    ServingBody,
    StatusResponse,
    StepBody,
    SummaryBody,
)
from raxe.bootstrap import ModelRegistry
from raxe.errors import ModelError, ModelNotFound, StoreError
from raxe.protocols import BundleStore
from raxe.registry import Choice, Comparison, Metadata
from raxe.settings import Settings

MAX_LISTED = 500  # some 200 kB; Lambda answers with 6 MB at most
_MAX_ERRORS = 50


class RegistryService:
    """The model routes; an environment answers one request at a time."""

    def __init__(self, store: BundleStore, settings: Settings) -> None:
        """Takes the store. Nothing is read before the first request: a snapshot must not hold a catalog of its day."""
        self._store, self._settings = store, settings
        self._registry: ModelRegistry | None = None
        self._choice: Choice | None = None
        self._asked_at = 0.0  # Unix time: a monotonic clock stands still in a snapshot
        self._error: StoreError | None = None

    @property
    def error(self) -> StoreError | None:
        """What the store said when it was last asked, None when it answered."""
        return self._error

    def models(self, query: ListQuery, request_id: str) -> ModelsResponse:
        """The models of that status, runtime and tags."""
        registry = self._current()
        found = registry.list_models(query.status, query.runtime, query.tags)
        return ModelsResponse(
            models=[_summary(model) for model in found[:MAX_LISTED]],
            count=len(found),
            truncated=len(found) > MAX_LISTED,
            catalog=self._catalog(registry),
            request_id=request_id,
        )

    def model(self, model_id: str, request_id: str) -> ModelResponse:
        """The model of an id or alias; raises UnknownModel and BrokenModel."""
        registry = self._current()
        return self._answer(registry, _named(registry, model_id, "id"), request_id)

    def best(self, query: BestQuery, request_id: str) -> ModelResponse:
        """The best active model by a criterion; raises ModelNotFound."""
        registry = self._current()
        return self._answer(registry, registry.get_best_model(query.criteria), request_id)

    def compare(self, query: CompareQuery, request_id: str) -> CompareResponse:
        """The figures of models side by side; raises UnknownModel and BrokenModel naming the place in the query."""
        registry = self._current()
        found = tuple(_named(registry, model_id, f"ids.{at}") for at, model_id in enumerate(query.ids))
        return CompareResponse(
            models=Comparison(found).figures(), catalog=self._catalog(registry), request_id=request_id
        )

    def status(self, request_id: str) -> StatusResponse:
        """What is there, what is broken, what is on this machine and which model would serve."""
        registry = self._current()
        choice = self._choice = self._choice or registry.select()
        if registry.stale:
            self._error = registry.stale.error
        here = [model.model_id for model in registry.list_models() if registry.is_here(model)]
        held = registry.files.held()
        return StatusResponse(
            source=self._settings.model_source or ("s3" if self._settings.models_url else "folder"),  # type: ignore[arg-type]
            catalog=self._catalog(registry),
            aliases=dict(registry.catalog.aliases),
            errors=[
                BrokenBody(name=name, error=type(error).__name__, message=str(error))
                for name, error in sorted(registry.errors.items())[:_MAX_ERRORS]
            ],
            serving=_serving(choice),
            loaded=list(registry.loaded),
            cache=CacheBody(files=held.files, size_bytes=held.size_bytes, models=here[:MAX_LISTED]),
            request_id=request_id,
        )

    def reload(self, request_id: str) -> ReloadResponse:
        """What changed, read from the store now; raises StoreError, and the catalog stays what it was."""
        if self._registry is None:
            registry = self._open()
            changed = tuple(sorted(registry.catalog.models))
        else:
            registry = self._registry
            changed = self._reload(registry)
        return ReloadResponse(changed=list(changed), catalog=self._catalog(registry), request_id=request_id)

    def _catalog(self, registry: ModelRegistry) -> CatalogBody:
        """Where an answer comes from."""
        etag, error = registry.catalog.etag, self._error
        return CatalogBody(
            models=len(registry.catalog.models),
            broken=len(registry.errors),
            etag=etag,
            age_s=round(max(0.0, time.time() - registry.answered_at), 1),
            stale=error is not None,
            error=f"{type(error).__name__}: {error}" if error else None,
        )

    def _current(self) -> ModelRegistry:
        """The registry, its catalog no older than the settings allow as long as the store answers."""
        if self._registry is None:
            return self._open()
        if not 0 <= time.time() - self._asked_at < self._settings.catalog_ttl_s:
            with suppress(StoreError):  # the last good catalog answers, and says so
                self._reload(self._registry)
        return self._registry

    def _open(self) -> ModelRegistry:
        registry = ModelRegistry(self._store, settings=self._settings)
        self._registry, self._asked_at = registry, time.time()
        self._error = registry.stale.error if registry.stale else None
        return registry

    def _reload(self, registry: ModelRegistry) -> tuple[str, ...]:
        self._asked_at, self._choice = time.time(), None
        try:
            changed = registry.reload()
        except StoreError as error:
            self._error = error
            raise
        self._error = None
        return changed

    def _answer(self, registry: ModelRegistry, model: Metadata, request_id: str) -> ModelResponse:
        aliases = registry.catalog.aliases.items()
        pointing = sorted(name for name, model_id in aliases if model_id == model.model_id)
        return ModelResponse(model=model, aliases=pointing, catalog=self._catalog(registry), request_id=request_id)


def _named(registry: ModelRegistry, model_id: str, field: str) -> Metadata:
    try:
        return registry.get_model(model_id)
    except ModelError as error:
        if isinstance(error, ModelNotFound) and error not in registry.errors.values():
            raise UnknownModel("is no model of the registry", field=field) from None
        raise BrokenModel(f"is damaged: {error}", field=field) from None


def _summary(model: Metadata) -> SummaryBody:
    return SummaryBody(
        id=model.model_id,
        name=model.name,
        version=model.version,
        variant=model.variant,
        status=model.status,
        runtime=model.deployment.runtime,
        tags=model.tags,
        size_mb=model.file_info.size_mb,
        latency_p95_ms=model.performance.latency_p95_ms if model.performance else None,
        balanced_accuracy=model.accuracy.balanced_accuracy if model.accuracy else None,
    )


def _serving(choice: Choice) -> ServingBody:
    steps = [
        StepBody(source=step.source, outcome=step.outcome, model_id=step.model_id, reason=step.reason)
        for step in choice.steps
    ]
    return ServingBody(model_id=choice.model.model_id if choice.model else None, steps=steps)
