"""The environment of the functions on a laptop: the template's variables with the model folder of the checkout."""

from functions.local.events import ROOT


def local_environment() -> dict[str, str]:
    """Returns the variables that template.yaml sets in Lambda, for the source tree."""
    return {
        "RAXE_STAGE": "local",
        "RAXE_MODELS_DIR": str(ROOT / "models"),
        "ORT_DISABLE_TELEMETRY": "1",
        "POWERTOOLS_SERVICE_NAME": "raxe",
        "POWERTOOLS_METRICS_NAMESPACE": "RAXE",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
