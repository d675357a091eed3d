"""The registry function: `/v1/models`. It loads no model; the catalog is read at the first request."""

from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

from raxe.api.observability import logger, metrics
from raxe.api.registry_routes import registry_router
from raxe.api.web import handle_errors
from raxe.bootstrap import open_kept_store
from raxe.settings import from_environment

settings = from_environment()
app = APIGatewayHttpResolver(debug=False)  # explicit: POWERTOOLS_DEV must not be able to print events
app.include_router(registry_router(open_kept_store(settings), settings))
handle_errors(app)


# log_event is explicit: an environment variable must not be able to log what was asked.
@logger.inject_lambda_context(log_event=False, correlation_id_path="requestContext.requestId")
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The API Gateway response to a payload 2.0 event."""
    return app.resolve(event, context)
