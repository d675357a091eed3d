"""Settings -> the store of models and the cache folder of what is downloaded from it."""

import hashlib
import os
import tempfile
from importlib import import_module
from pathlib import Path

from raxe.adapters import KeptStore, LocalBundleStore
from raxe.errors import InvalidInput
from raxe.protocols import BundleStore
from raxe.settings import Settings, bucket_url


def open_store(settings: Settings) -> BundleStore:
    """The store that the settings name: the bucket where there is one, else the folder. Nothing is read yet."""
    if settings.models_url is None:
        return LocalBundleStore(settings.models_dir)
    bucket, _, prefix = settings.models_url.removeprefix("s3://").partition("/")
    # By name, so that a start from a folder does not pay for an AWS client.
    store: BundleStore = import_module("raxe.adapters.s3").S3BundleStore(bucket, prefix)
    return store


def open_kept_store(settings: Settings) -> BundleStore:
    """The same store for a process that serves: of a bucket, what it said last is kept and used while it fails."""
    store = open_store(settings)
    if settings.models_url is None:
        return store
    name = hashlib.sha256(settings.models_url.encode()).hexdigest()[:32]
    return KeptStore(store, cache_folder(settings) / "documents" / name)


def open_place(place: str) -> BundleStore:
    """The store of ``s3://bucket/prefix`` or of a folder; raises InvalidInput. Nothing is read yet."""
    if "://" not in place:
        return LocalBundleStore(Path(place))
    try:
        return open_store(Settings(models_url=bucket_url(place)))
    except ValueError as error:
        raise InvalidInput(str(error), field="place") from None


def cache_folder(settings: Settings) -> Path:
    """Where downloaded files are kept: as set, else below /tmp in Lambda, else in the user's cache folder."""
    if settings.cache_dir is not None:
        return settings.cache_dir
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
        return Path(tempfile.gettempdir()) / "raxe"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "raxe"
