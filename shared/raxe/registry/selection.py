"""Which model serves, and why.

``RAXE_L2_MODEL``, else the rollout document, else ``config.yaml``, else its fallback model, else the rules alone. The
first of the three that names one decides. What it names is not replaced by a guess: when that model is missing or
cannot be loaded, only the fallback model that somebody wrote down takes its place.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from raxe.errors import InvalidMetadata, ModelError, ModelNotFound, RaxeError
from raxe.protocols import BundleStore
from raxe.registry.catalog import Catalog
from raxe.registry.documents import invalid
from raxe.registry.metadata import MODEL_ID_PATTERN, Metadata
from raxe.settings import EXPERIMENT_PATTERN
from raxe.strict import Strict

CONFIG = "config.yaml"
VARIABLE = "RAXE_L2_MODEL"
ROLLOUT = "rollout: champion"
_MAX_BYTES = 64_000
_DEFAULT_CRITERIA = "balanced"


class ABTest(Strict):
    """Two models that share the subjects of `Raxe`; other than for it, `selection` decides."""

    enabled: bool = Field(default=False, description="whether it runs")
    name: str = Field(default="ab-test", pattern=EXPERIMENT_PATTERN, description="what it is counted under")
    variant_a: str | None = Field(default=None, pattern=MODEL_ID_PATTERN, description="the model of the arm champion")
    variant_b: str | None = Field(default=None, pattern=MODEL_ID_PATTERN, description="the model of the arm challenger")
    split: float = Field(default=0.5, ge=0, le=1, description="share of the subjects that get variant_b")
    user_hash_key: str = Field(default="user_id", min_length=1, description="where a context has its subject")

    @model_validator(mode="after")
    def _two_models(self) -> Self:
        if self.enabled and (not self.variant_a or not self.variant_b or self.variant_a == self.variant_b):
            raise ValueError("needs two models, variant_a and variant_b")
        return self


class SelectionConfig(Strict):
    """What ``config.yaml`` says; a key that is left out has its default."""

    selection: Literal["auto", "explicit", "benchmark"] = Field(default="auto", description="how a model is chosen")
    auto_criteria: Literal["latency", "accuracy", "balanced", "memory"] | None = Field(
        default=None, description="what auto and benchmark compare; balanced when it is left out"
    )
    explicit_model_id: str | None = Field(default=None, description="the model of `selection: explicit`")
    fallback_model_id: str | None = Field(default=None, description="the model when that one cannot serve")
    ab_test: ABTest = Field(default_factory=ABTest, description="a comparison of two models by `Raxe`")

    @model_validator(mode="after")
    def _explicit_names_a_model(self) -> Self:
        if self.selection == "explicit" and not self.explicit_model_id:
            raise ValueError("selection: explicit needs explicit_model_id")
        return self


class Outcome(StrEnum):
    """What came of one step of a selection."""

    PICKED = "picked"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One place that was asked for a model: what came of it, which model it named, and why, in words."""

    source: str
    outcome: Outcome
    reason: str
    model_id: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that was picked, None for the rules alone, each step that led there, and for None the first error."""

    model: Metadata | None = None
    steps: tuple[Step, ...] = ()
    cause: RaxeError | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the environment, the rollout document and ``config.yaml`` say.

    ``rollout`` is the document's champion, empty when it names none, None without a document; ``config`` is an error
    when the file cannot be used.
    """

    model_id: str | None = None
    rollout: str | None = None
    criteria: str | None = None
    config: SelectionConfig | ModelError = field(default_factory=SelectionConfig)


def read_config(store: BundleStore) -> SelectionConfig:
    """The ``config.yaml`` of a store, all defaults where there is none; raises InvalidMetadata and StoreError."""
    try:
        found = store.read(CONFIG)
    except ModelNotFound:
        return SelectionConfig()
    return parse_config(found[0] if found else b"")


def parse_config(data: bytes) -> SelectionConfig:
    """The selection in the bytes of a YAML file; raises InvalidMetadata naming each wrong field, never a value."""
    if len(data) > _MAX_BYTES:
        raise InvalidMetadata(f"{CONFIG}: is larger than {_MAX_BYTES} bytes")
    try:
        document = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidMetadata(f"{CONFIG}: file: {type(error).__name__}") from None
    try:
        return SelectionConfig.model_validate({} if document is None else document)
    except ValidationError as error:
        raise invalid(CONFIG, error) from None


def select(catalog: Catalog, wanted: Wanted, broken: Mapping[str, RaxeError]) -> Choice:
    """The choice among the models of a catalog, of which those in ``broken`` (by id) could not be loaded."""
    steps: list[Step] = []
    errors: list[RaxeError] = []
    for source, offered, reason in _offers(catalog, wanted):
        model_id = offered.model_id if isinstance(offered, Metadata) else None
        found = broken.get(model_id, offered) if model_id else offered
        if isinstance(found, Metadata):
            return Choice(found, (*steps, Step(source, Outcome.PICKED, reason, model_id)))
        if found is None:
            steps.append(Step(source, Outcome.SKIPPED, reason))
        else:
            errors.append(found)
            steps.append(Step(source, Outcome.FAILED, f"{type(found).__name__}: {found}", model_id))
    return Choice(None, (*steps, Step("rules only", Outcome.PICKED, "no model can serve")), errors[0])


# Where a model may come from; the model, what is wrong, or None when nothing is said; and why.
_Offer = tuple[str, Metadata | ModelError | None, str]


def _offers(catalog: Catalog, wanted: Wanted) -> Iterator[_Offer]:
    config = wanted.config
    named = VARIABLE if wanted.model_id else ROLLOUT if wanted.rollout else None
    if wanted.model_id:
        yield _named(catalog, VARIABLE, wanted.model_id)
    else:
        yield VARIABLE, None, "is not set"
    if wanted.rollout and not wanted.model_id:
        yield _named(catalog, ROLLOUT, wanted.rollout)
    elif wanted.rollout is not None:
        yield ROLLOUT, None, f"{VARIABLE} is set" if wanted.model_id else "names no champion"
    if isinstance(config, SelectionConfig):
        yield (CONFIG, None, f"{named} is set") if named else _configured(catalog, config, wanted.criteria)
    if isinstance(config, ModelError):
        yield CONFIG, config, ""
    elif config.fallback_model_id:
        yield _named(catalog, "fallback_model_id", config.fallback_model_id)
    else:
        yield "fallback_model_id", None, "is not set"


def _named(catalog: Catalog, source: str, name: str) -> _Offer:
    try:
        model = catalog.get_model(name)
    except ModelError as error:
        return source, error, ""
    return source, model, "named" if model.model_id == name else "named by an alias"


def _configured(catalog: Catalog, config: SelectionConfig, overriding: str | None) -> _Offer:
    if config.selection == "explicit" and config.explicit_model_id:
        return _named(catalog, f"{CONFIG}: explicit", config.explicit_model_id)
    source, criteria = f"{CONFIG}: {config.selection}", overriding or config.auto_criteria or _DEFAULT_CRITERIA
    measured = config.selection == "benchmark"
    try:
        model = catalog.get_best_model(criteria, measured=measured)
    except ModelError as error:
        # Where models are broken, the first of them says more than that none is there.
        return source, next(iter(catalog.errors.values()), error), ""
    return source, model, f"the best {'measured ' if measured else ''}active model by {criteria}"
