"""The model routes over a store in memory, for the tests of what they answer and of how they ask the store."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raxe.registry import ModelFiles, load_metadata, promote, publish
from raxe.registry.index import INDEX
from raxe.settings import Settings
from tests.factories import MODEL_ID, metadata_of, write_models
from tests.fakes import FakeStore
from tests.handlers import Answer, Handler, registry_handler_of

IAM = {"iam": {"userArn": "arn:aws:iam::123456789012:role/release", "accountId": "123456789012"}}


@dataclass
class Served:
    """The function over a store in memory with a published index, and the store to change it."""

    store: FakeStore
    settings: Settings
    handler: Handler

    def get(self, path: str = "", **query: str) -> Answer:
        """The answer of ``/v1/models`` and what follows."""
        return replace(self.handler, path=f"/v1/models{path}").send("", query=query)

    def reload(self, authorizer: Mapping[str, Any] | None = IAM, **query: str) -> Answer:
        """The answer to a reload by a caller."""
        http = {"method": "POST", "path": "/v1/models/reload"}
        context = {"http": http, "requestId": "the-request", "stage": "$default", "authorizer": authorizer}
        handler = replace(self.handler, path="/v1/models/reload", method="POST")
        return handler.send("", query=query, requestContext=context)

    def edit_index(self, edit: Callable[[dict[str, Any]], object]) -> None:
        """Changes the index as somebody who publishes would."""
        index = json.loads(self.store.objects[INDEX])
        edit(index)
        self.store.objects[INDEX] = json.dumps(index).encode()

    def with_ttl(self, seconds: int) -> "Served":
        """Another environment over the same store, which asks less often."""
        settings = replace(self.settings, catalog_ttl_s=seconds)
        return Served(self.store, settings, registry_handler_of(self.store, settings))


def published_objects(folder: Path) -> dict[str, bytes]:
    """A store's objects: two published models, the first of them also called champion."""
    models = write_models(folder / "models")
    document = metadata_of(models) | {"model_id": "second", "status": "experimental", "tags": ["small", "new"]}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    second = models.metadata.with_name("second.json")
    second.write_text(json.dumps(document))
    files = [path for path in models.root.rglob("*") if path.is_file()]
    store = FakeStore({path.relative_to(models.root).as_posix(): path.read_bytes() for path in files})
    local = ModelFiles(store, folder / "publisher")
    for path in (models.metadata, second):
        publish(load_metadata(path), local, store, local)
    promote(store, MODEL_ID, "champion", "2026-01-05T09:30:00+00:00")
    return store.objects


def serve(objects: Mapping[str, bytes], cache: Path) -> Served:
    """The function over a copy of the objects; the store is asked again at every request."""
    store = FakeStore(dict(objects))
    settings = Settings(catalog_ttl_s=0, cache_dir=cache, l2_model="champion")
    return Served(store, settings, registry_handler_of(store, settings))
