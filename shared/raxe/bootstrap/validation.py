"""Checks of one model, from its files to its golden texts, each with a line of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata as installed

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from raxe.bootstrap.golden import GOLDEN_TOLERANCE
from raxe.bootstrap.loading import LoadedModel, load_detector
from raxe.bundle import read_bundle
from raxe.errors import InvalidBundle, InvalidMetadata, ModelLoadFailed, RaxeError
from raxe.registry import Metadata, ModelFiles
from raxe.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name, and what is wrong, None when nothing is."""

    name: str
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """All checks of a model, in order; what could not be checked after a failure is left out."""

    model_id: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.problem is None for check in self.checks)


def validate(model: Metadata, files: ModelFiles, settings: Settings) -> Validation:
    """The checks of a model: files and checksums, bundle, versions, loading with a first inference, golden texts."""
    return Validation(model.model_id, tuple(_checks(model, files, settings)))


def _checks(model: Metadata, files: ModelFiles, settings: Settings) -> Iterator[Check]:
    info = model.file_info
    yield Check("metadata")
    fetched: list[Check] = []
    for kind in ("bundle", "embeddings", "tokenizer", "golden"):
        key, total = getattr(info, kind), getattr(info, f"{kind}_sha256")
        if key is not None:
            fetched.append(_tried(f"file {kind}", lambda key=key, total=total: files.fetch(key, total)))  # type: ignore[misc]
    yield from fetched
    if fetched[0].problem is None:
        yield _tried("bundle", lambda: _bundle_fits(model, files))
    yield _tried("requirements", lambda: _requirements(model))
    if any(check.problem for check in fetched):
        return
    loaded: list[LoadedModel] = []
    yield _tried("loading and inference", lambda: loaded.append(load_detector(model, files, settings)))
    if loaded and loaded[0].golden:
        yield _tried("golden texts", lambda: _golden(loaded[0]))


def _tried(name: str, attempt: Callable[[], object]) -> Check:
    try:
        attempt()
    except RaxeError as error:
        return Check(name, f"{type(error).__name__}: {error}")
    return Check(name)


def _bundle_fits(model: Metadata, files: ModelFiles) -> None:
    info = model.file_info
    bundle = read_bundle(files.fetch(info.bundle, info.bundle_sha256))
    if bundle.model_id != (info.bundle_model_id or model.model_id):
        raise InvalidBundle(f"{info.bundle}: it is the bundle of another model")
    if bundle.embedding.dimension != model.ml_config.embedding_dimension:
        raise InvalidMetadata("ml_config.embedding_dimension: is not the bundle's")


def _requirements(model: Metadata) -> None:
    for package, wanted in model.requirements.items():
        try:
            found = installed.version(package)
            fits = SpecifierSet(wanted).contains(found, prereleases=True)
        except installed.PackageNotFoundError:
            raise ModelLoadFailed(f"requirements.{package}: is not installed") from None
        except InvalidSpecifier:
            raise InvalidMetadata(f"requirements.{package}: is no version specifier") from None
        if not fits:
            raise ModelLoadFailed(f"requirements.{package}: {found} is installed")


def _golden(loaded: LoadedModel) -> None:
    worst = loaded.golden.worst_difference() if loaded.golden else 0.0
    if worst > GOLDEN_TOLERANCE:
        raise ModelLoadFailed(f"scores differ by {worst:.3f}")
