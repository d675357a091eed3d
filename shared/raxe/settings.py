"""The environment as a schema: every variable is read once, checked, and a wrong value stops the start.

Standard library only: this runs in the cold start of every function.
"""

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from raxe.errors import InvalidSettings
from raxe.values import Decision

T = TypeVar("T")

MAX_CHARACTERS = 120_000  # of one text, by default
MB_PER_VCPU = 1769  # AWS Lambda: a function of this many MB has one vCPU
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
CRITERIA = ("latency", "accuracy", "balanced", "memory")
SOURCES = ("layer", "efs", "s3")
EXPERIMENT_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}$"
_INTEGER = re.compile(r"-?[0-9]{1,9}")  # what int() takes besides, such as digits of other scripts, is a mistake here
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")  # a scope-token of RFC 6749
_S3_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._/-]{0,512})?")
_TABLE = re.compile(r"dynamodb:[A-Za-z0-9_.-]{3,255}")
_EXPERIMENT = re.compile(EXPERIMENT_PATTERN)
_SSM_NAME = re.compile(r"ssm:(/[A-Za-z0-9._-]{1,100}){1,15}")
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_CHECKOUT_MODELS = Path(__file__).resolve().parents[2] / "models"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment decides; the variable of each field stands in ``from_environment``.

    Attributes:
        model_source: what the operator says models come from, layer, efs or s3; None is not said, and not checked.
        models_dir: folder of the model registry on disk.
        models_url: bucket of the registry, ``s3://bucket/prefix``, in the place of the folder.
        cache_dir: where downloaded files are kept; None takes a folder of the user's, in Lambda one below /tmp.
        onnx_model_path: encoder to use instead of a registered model's.
        onnx_tokenizer: tokenizer.json to use instead of a registered model's.
        onnx_confidence_threshold: score in [0, 1] from which L2 blocks; None takes the model's own.
        onnx_max_batch_size: windows in one session call, 1 to 256.
        onnx_num_threads: intra-op threads, 1 to 64.
        onnx_providers: execution providers in order; empty takes CUDA where there is one, then CPU.
        use_onnx_only: False turns L2 off: rules only.
        enable_anomaly_detection: whether L2 measures the distance to known clusters.
        l2_model: id of the model; None leaves the choice to ``config.yaml`` of the registry.
        l2_model_criteria: what is compared there, in the place of its own criteria.
        model_cache_size: loaded models that are kept, 1 to 16.
        catalog_ttl_s: seconds after which the registry function asks the store what changed, 0 to 86400.
        admin_scope: scope that a token must have to reload the registry.
        max_characters: longest text that is scanned; longer is refused.
        on_failure: least verdict when a layer did not answer.
        experiments: where answers are counted, ``dynamodb:TABLE`` or a SQLite file; None counts nothing.
        experiment: the name that they are counted under.
        rollout: where the rollout document is, ``ssm:/name`` or a file; None for none.
        rollout_ttl_s: seconds after which it is looked at again, 1 to 3,600.
    """

    model_source: str | None = None
    models_dir: Path = _CHECKOUT_MODELS
    models_url: str | None = None
    cache_dir: Path | None = None
    onnx_model_path: Path | None = None
    onnx_tokenizer: Path | None = None
    onnx_confidence_threshold: float | None = None
    onnx_max_batch_size: int = 4
    onnx_num_threads: int = 1
    onnx_providers: tuple[str, ...] = ()
    use_onnx_only: bool = True
    enable_anomaly_detection: bool = True
    l2_model: str | None = None
    l2_model_criteria: str | None = None
    model_cache_size: int = 2
    catalog_ttl_s: int = 60
    admin_scope: str = "raxe/admin"
    max_characters: int = MAX_CHARACTERS
    on_failure: Decision = Decision.REVIEW
    experiments: str | None = None
    experiment: str = "rollout"
    rollout: str | None = None
    rollout_ttl_s: int = 30


def default_threads(environ: Mapping[str, str]) -> int:
    """Number of vCPUs, of the Lambda function by its memory size, else of the machine; 1 to 6 (Lambda's most)."""
    memory = environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
    cpus = math.ceil(int(memory) / MB_PER_VCPU) if _INTEGER.fullmatch(memory) else os.cpu_count() or 1
    return max(1, min(cpus, 6))


def _boolean(raw: str) -> bool:
    if raw.lower() not in _TRUE | _FALSE:
        raise ValueError("must be true or false")
    return raw.lower() in _TRUE


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(raw: str) -> int:
        value = int(raw) if _INTEGER.fullmatch(raw) else None
        if value is None or not low <= value <= high:
            raise ValueError(f"must be an integer from {low} to {high}")
        return value

    return parse


def _share(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:  # NaN fails too
        raise ValueError("must be a number from 0 to 1")
    return value


def _file(raw: str) -> Path:
    path = Path(raw)
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name that is too long, or with NUL
        found = False
    if not found:
        raise ValueError("must name an existing file")
    return path


def bucket_url(raw: str) -> str:
    """The address of a bucket as it is written; raises ValueError for anything else."""
    if not _S3_URL.fullmatch(raw):
        raise ValueError("must be s3://bucket or s3://bucket/prefix")
    return raw


def experiments_place(raw: str) -> str:
    """The place of experiments as it is written; raises ValueError for a table that cannot be."""
    if raw.startswith("dynamodb:") and not _TABLE.fullmatch(raw):
        raise ValueError("must be dynamodb:TABLE or a file")
    return raw


def experiment_name(raw: str) -> str:
    """The name of an experiment as it is written; raises ValueError."""
    if not _EXPERIMENT.fullmatch(raw):
        raise ValueError("must be 1 to 64 lower-case letters, digits, dots, dashes or underscores")
    return raw


def rollout_place(raw: str) -> str:
    """Where a rollout document is, as it is written; raises ValueError for what is no place."""
    if ":" in raw and not _SSM_NAME.fullmatch(raw):
        raise ValueError("must be ssm:/name/of/a/parameter, or a file without a colon in its name")
    return raw


def _choice(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return raw

    return parse


def _scope(raw: str) -> str:
    if not _SCOPE.fullmatch(raw):
        raise ValueError("must be one scope")
    return raw


def _source(env: Mapping[str, str]) -> Callable[[str], str]:
    """Takes a source whose place is there; a place that the source does not use is a mistake, not a second choice."""

    def parse(raw: str) -> str:
        _choice(SOURCES)(raw)
        needed = "RAXE_MODELS_URL" if raw == "s3" else "RAXE_MODELS_DIR"
        if not env.get(needed, "").strip():
            raise ValueError(f"must have {needed} beside it when it is {raw}")
        if raw != "s3" and env.get("RAXE_MODELS_URL", "").strip():
            raise ValueError("must be s3 when RAXE_MODELS_URL is set")
        return raw

    return parse


def _providers(raw: str) -> tuple[str, ...]:
    names = [name.strip() for name in raw.split(",") if name.strip()]
    found = [PROVIDERS.get(name.lower(), name) for name in names]
    if not found or not set(found) <= set(PROVIDERS.values()):
        raise ValueError(f"must be a comma-separated list of {', '.join(PROVIDERS)}")
    return tuple(found)


def from_environment(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        InvalidSettings: a variable has a wrong value; the message names the variable and what it must be.
    """
    env = os.environ if environ is None else environ

    def read(name: str, parse: Callable[[str], T], default: T) -> T:
        raw = env.get(name, "").strip()
        if not raw:
            return default
        try:
            return parse(raw)
        except ValueError as error:
            raise InvalidSettings(f"{name} {error}") from None

    default = Settings()
    return Settings(
        model_source=read("MODEL_SOURCE", _source(env), default.model_source),
        models_dir=read("RAXE_MODELS_DIR", Path, default.models_dir),
        models_url=read("RAXE_MODELS_URL", bucket_url, default.models_url),
        cache_dir=read("RAXE_CACHE_DIR", Path, default.cache_dir),
        onnx_model_path=read("ONNX_MODEL_PATH", _file, default.onnx_model_path),
        onnx_tokenizer=read("ONNX_TOKENIZER", _file, default.onnx_tokenizer),
        onnx_confidence_threshold=read("ONNX_CONFIDENCE_THRESHOLD", _share, default.onnx_confidence_threshold),
        onnx_max_batch_size=read("ONNX_MAX_BATCH_SIZE", _integer(1, 256), default.onnx_max_batch_size),
        onnx_num_threads=read("ONNX_NUM_THREADS", _integer(1, 64), default_threads(env)),
        onnx_providers=read("ONNX_PROVIDERS", _providers, default.onnx_providers),
        use_onnx_only=read("USE_ONNX_ONLY", _boolean, default.use_onnx_only),
        enable_anomaly_detection=read("ENABLE_ANOMALY_DETECTION", _boolean, default.enable_anomaly_detection),
        l2_model=read("RAXE_L2_MODEL", str, default.l2_model),
        l2_model_criteria=read("RAXE_L2_MODEL_CRITERIA", _choice(CRITERIA), default.l2_model_criteria),
        model_cache_size=read("MODEL_CACHE_SIZE", _integer(1, 16), default.model_cache_size),
        catalog_ttl_s=read("RAXE_CATALOG_TTL_S", _integer(0, 86_400), default.catalog_ttl_s),
        admin_scope=read("RAXE_ADMIN_SCOPE", _scope, default.admin_scope),
        max_characters=read("RAXE_MAX_CHARACTERS", _integer(1, 1_000_000), default.max_characters),
        on_failure=Decision(read("RAXE_ON_FAILURE", _choice(tuple(Decision)), default.on_failure.value)),
        experiments=read("RAXE_EXPERIMENTS", experiments_place, default.experiments),
        experiment=read("RAXE_EXPERIMENT", experiment_name, default.experiment),
        rollout=read("RAXE_ROLLOUT", rollout_place, default.rollout),
        rollout_ttl_s=read("RAXE_ROLLOUT_TTL", _integer(1, 3600), default.rollout_ttl_s),
    )
