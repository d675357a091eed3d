"""Metrics as CloudWatch reads them from a log line, a few of them once more by version of the function.

CloudWatch bills every combination of a metric and dimensions, so only what an alarm on a deployment watches is told
apart by version: five metrics, in the same line, as a second set of dimensions over the same values.
"""

import os
from typing import Any

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

BY_VERSION = frozenset({"ScanLatency", "MemoryUsed", "Flagged", "DegradedScans", "ServerErrors"})
_UNPUBLISHED = "$LATEST"


class VersionedMetrics(AmazonCloudWatchEMFProvider):
    """Powertools' metrics; the dimensions are ``service``, and for some ``function_name`` with ``function_version``."""

    def serialize_metric_set(  # type: ignore[override]  # Powertools returns a TypedDict that has no room for dimensions
        self,
        metrics: dict[str, Any] | None = None,
        dimensions: dict[str, str] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The line; without a published version, such as on a laptop, the first set of dimensions alone."""
        line: dict[str, Any] = dict(super().serialize_metric_set(metrics, dimensions, metadata))
        version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", _UNPUBLISHED)
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        watched = [each for each in directive["Metrics"] if each["Name"] in BY_VERSION]
        if version == _UNPUBLISHED or not watched:
            return line
        by_version = directive | {"Dimensions": [["function_name", "function_version"]], "Metrics": watched}
        line["_aws"]["CloudWatchMetrics"] = [directive, by_version]
        name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown")
        return line | {"function_name": name, "function_version": version}
