"""Two models, a rollout document over them, and what the scan function answers and counts under it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from raxe.adapters.rollout_file import FileRolloutStore
from raxe.bootstrap import Engine
from raxe.rollout import BUCKETS, Rollout, Split, dump_rollout
from raxe.settings import Settings
from tests.factories import MODEL_ID, ZORKMID, ModelsFolder, metadata_of
from tests.handlers import Answer, scan_handler_of

SECOND = "second-model"
ATTACK = f"a {ZORKMID}"
HALF = Rollout(champion=MODEL_ID, challenger=Split(SECOND, BUCKETS // 2))
Put = Callable[[Rollout], Settings]


@dataclass(frozen=True, slots=True)
class Documents:
    """Called with a rollout it writes the document, over a folder with two models; the settings find both."""

    models: ModelsFolder
    path: Path

    def __call__(self, rollout: Rollout) -> Settings:
        """Writes another version."""
        store = FileRolloutStore(self.path)
        store.write(dump_rollout(rollout), len(store.history()), "set")
        return replace(self.models.settings, rollout=str(self.path))


def two_models(models: ModelsFolder, path: Path) -> Documents:
    """Adds the second model, which shares all files of the first."""
    document = metadata_of(models) | {"model_id": SECOND}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name(f"{SECOND}.json").write_text(json.dumps(document))
    return Documents(models, path)


def sent(engine: Engine, body: dict[str, Any], request_id: str = "the-request", path: str = "/v1/scan") -> Answer:
    """The answer of the scan function over an engine."""
    http = {"method": "POST", "path": path}
    handler = replace(scan_handler_of(engine), path=path)
    return handler.send(body, requestContext={"http": http, "requestId": request_id, "stage": "$default"})


def metrics_of(output: str) -> dict[str, list[float]]:
    """The metrics that a function printed, by name."""
    found: dict[str, list[float]] = {}
    for line in output.splitlines():
        if '"_aws"' in line:
            body = json.loads(line)
            for metric in body["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
                values = body[metric["Name"]]
                found.setdefault(metric["Name"], []).extend(values if isinstance(values, list) else [values])
    return found
