"""Queries and answers of the model routes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from raxe.registry import Metadata, Outcome, Status
from raxe.report import Body

MAX_COMPARED = 10
MAX_TAGS = 10


def _split(raw: object) -> object:
    return raw.split(",") if isinstance(raw, str) else raw


def _different(ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(ids)) < len(ids):
        raise ValueError("must be different models")
    return ids


ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{2,63}$")]
Tag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class Query(BaseModel):
    """A query that takes nothing; every other one is made of this. Unknown parameters are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, protected_namespaces=())


class ListQuery(Query):
    """``status``, ``runtime``, and ``tags`` with commas between, all of which a model must have."""

    status: Status | None = None
    runtime: Literal["onnx"] | None = None
    tags: Annotated[tuple[Tag, ...], BeforeValidator(_split), Field(max_length=MAX_TAGS)] = ()


class BestQuery(Query):
    """``criteria``."""

    criteria: Literal["latency", "accuracy", "balanced", "memory"] = "balanced"


class CompareQuery(Query):
    """``ids`` or aliases with commas between, two to ten different ones."""

    ids: Annotated[
        tuple[ModelName, ...],
        BeforeValidator(_split),
        Field(min_length=2, max_length=MAX_COMPARED),
        AfterValidator(_different),
    ]


class CatalogBody(Body):
    """Where an answer comes from: the catalog's ETag, its age in seconds, and why it is not the store's of now."""

    models: int
    broken: int
    etag: str | None
    age_s: float
    stale: bool
    error: str | None


class SummaryBody(Body):
    """One model in a list; figures are None when they were not measured."""

    id: str
    name: str
    version: str
    variant: str
    status: Status
    runtime: str
    tags: tuple[str, ...]
    size_mb: float
    latency_p95_ms: float | None
    balanced_accuracy: float | None


class ModelsResponse(Body):
    """The models by id; ``count`` are there, of which only the first are told when it is ``truncated``."""

    models: list[SummaryBody]
    count: int
    truncated: bool
    catalog: CatalogBody
    request_id: str


class ModelResponse(Body):
    """One model's metadata, and the aliases that point to it."""

    model: Metadata
    aliases: list[str]
    catalog: CatalogBody
    request_id: str


class CompareResponse(Body):
    """The measured figures of models in the order that was asked for."""

    models: list[dict[str, str | float | None]]
    catalog: CatalogBody
    request_id: str


class BrokenBody(Body):
    """A model that is not listed: its file or id, and what is wrong."""

    name: str
    error: str
    message: str


class StepBody(Body):
    """One place that was asked which model serves."""

    source: str
    outcome: Outcome
    model_id: str | None
    reason: str


class ServingBody(Body):
    """The model that a start would load now, None for the rules alone, and each step that led there."""

    model_id: str | None
    steps: list[StepBody]


class CacheBody(Body):
    """The cache folder of this environment, and the models whose files are all on this machine."""

    files: int
    size_bytes: int
    models: list[str]


class StatusResponse(Body):
    """State of the registry as this environment sees it; at most 50 of the ``catalog.broken`` errors."""

    source: Literal["layer", "efs", "s3", "folder"]
    catalog: CatalogBody
    aliases: dict[str, str]
    errors: list[BrokenBody]
    serving: ServingBody
    loaded: list[str]
    cache: CacheBody
    request_id: str


class ReloadResponse(Body):
    """The ids that are new, gone or changed since this environment last read the catalog."""

    changed: list[str]
    catalog: CatalogBody
    request_id: str
