"""Settings: every variable is read and checked, and a wrong value names its variable."""

from pathlib import Path

import pytest

from raxe.errors import InvalidSettings
from raxe.settings import Settings, default_threads, from_environment
from raxe.values import Decision

BOTH = ("CUDAExecutionProvider", "CPUExecutionProvider")


@pytest.mark.parametrize(
    ("variable", "raw", "field", "value"),
    [
        ("RAXE_MODELS_DIR", "/opt/models", "models_dir", Path("/opt/models")),
        ("ONNX_MODEL_PATH", __file__, "onnx_model_path", Path(__file__)),
        ("ONNX_TOKENIZER", __file__, "onnx_tokenizer", Path(__file__)),
        ("ONNX_CONFIDENCE_THRESHOLD", "0.25", "onnx_confidence_threshold", 0.25),
        ("ONNX_CONFIDENCE_THRESHOLD", "0", "onnx_confidence_threshold", 0.0),
        ("ONNX_MAX_BATCH_SIZE", "256", "onnx_max_batch_size", 256),
        ("ONNX_NUM_THREADS", " 3 ", "onnx_num_threads", 3),
        ("ONNX_PROVIDERS", "cpu", "onnx_providers", ("CPUExecutionProvider",)),
        ("ONNX_PROVIDERS", "CUDA, CPUExecutionProvider", "onnx_providers", BOTH),
        ("USE_ONNX_ONLY", "False", "use_onnx_only", False),
        ("ENABLE_ANOMALY_DETECTION", "off", "enable_anomaly_detection", False),
        ("RAXE_L2_MODEL", "minilm-l6", "l2_model", "minilm-l6"),
        ("RAXE_L2_MODEL_CRITERIA", "memory", "l2_model_criteria", "memory"),
        ("MODEL_CACHE_SIZE", "16", "model_cache_size", 16),
        ("RAXE_CATALOG_TTL_S", "0", "catalog_ttl_s", 0),
        ("RAXE_ADMIN_SCOPE", "models.admin", "admin_scope", "models.admin"),
        ("RAXE_MAX_CHARACTERS", "1000000", "max_characters", 1_000_000),
        ("RAXE_ON_FAILURE", "block", "on_failure", Decision.BLOCK),
        ("RAXE_EXPERIMENTS", "dynamodb:raxe-1", "experiments", "dynamodb:raxe-1"),
        ("RAXE_EXPERIMENTS", "counts/ab.sqlite", "experiments", "counts/ab.sqlite"),
        ("RAXE_EXPERIMENT", "spring_2.0-b", "experiment", "spring_2.0-b"),
    ],
)  # fmt: skip
def test_each_variable_sets_its_field(variable: str, raw: str, field: str, value: object) -> None:
    """A variable sets its own field and no other."""
    plain, changed = from_environment({}), from_environment({variable: raw})
    assert getattr(changed, field) == value
    others = [name for name in Settings.__slots__ if name != field]
    assert [getattr(changed, name) for name in others] == [getattr(plain, name) for name in others]


@pytest.mark.parametrize(
    ("variable", "wrong"),
    [
        ("ONNX_MODEL_PATH", "/no/such/file"), ("ONNX_MODEL_PATH", "/"), ("ONNX_MODEL_PATH", "a" * 5000),
        ("ONNX_TOKENIZER", "no.json"),
        ("ONNX_CONFIDENCE_THRESHOLD", "1.01"), ("ONNX_CONFIDENCE_THRESHOLD", "-0.1"),
        ("ONNX_CONFIDENCE_THRESHOLD", "nan"), ("ONNX_CONFIDENCE_THRESHOLD", "high"),
        ("ONNX_MAX_BATCH_SIZE", "0"), ("ONNX_MAX_BATCH_SIZE", "257"), ("ONNX_MAX_BATCH_SIZE", "1.5"),
        ("ONNX_NUM_THREADS", "0"), ("ONNX_NUM_THREADS", "65"), ("ONNX_NUM_THREADS", "--2"), ("ONNX_NUM_THREADS", "²"),
        ("ONNX_NUM_THREADS", "9" * 5000),
        ("ONNX_PROVIDERS", "tpu"), ("ONNX_PROVIDERS", ","), ("ONNX_PROVIDERS", "cpu;cuda"),
        ("USE_ONNX_ONLY", "maybe"), ("ENABLE_ANOMALY_DETECTION", "2"),
        ("RAXE_L2_MODEL_CRITERIA", "Latency"), ("MODEL_CACHE_SIZE", "0"), ("MODEL_CACHE_SIZE", "17"),
        ("RAXE_CATALOG_TTL_S", "-1"), ("RAXE_CATALOG_TTL_S", "86401"),
        ("RAXE_ADMIN_SCOPE", "two scopes"), ("RAXE_ADMIN_SCOPE", "a" * 129), ("MODEL_SOURCE", "S3"),
        ("RAXE_MAX_CHARACTERS", "0"), ("RAXE_MAX_CHARACTERS", "1000001"), ("RAXE_ON_FAILURE", "ignore"),
        ("RAXE_EXPERIMENTS", "dynamodb:ab"), ("RAXE_EXPERIMENTS", "dynamodb:a/b/c"), ("RAXE_EXPERIMENT", "Spring"),
        ("RAXE_EXPERIMENT", "a" * 65),
    ],
)  # fmt: skip
def test_a_wrong_value_names_its_variable_and_what_it_must_be(variable: str, wrong: str) -> None:
    """The error begins with the variable and says what is allowed."""
    with pytest.raises(InvalidSettings, match=rf"^{variable} must (be|name) "):
        from_environment({variable: wrong})


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    """Templates set variables to the empty string when a parameter is left out."""
    names = ("ONNX_MODEL_PATH", "ONNX_CONFIDENCE_THRESHOLD", "ONNX_PROVIDERS", "RAXE_L2_MODEL", "USE_ONNX_ONLY")
    assert from_environment(dict.fromkeys(names, " ")) == from_environment({})


@pytest.mark.parametrize(("memory", "threads"), [("128", 1), ("1769", 1), ("1770", 2), ("3538", 2), ("10240", 6)])
def test_threads_follow_the_memory_of_the_function(memory: str, threads: int) -> None:
    """One thread a vCPU, and Lambda gives one vCPU for 1,769 MB."""
    environment = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}
    assert default_threads(environment) == from_environment(environment).onnx_num_threads == threads


def test_threads_are_at_least_one_outside_lambda() -> None:
    """Without a memory size, or with one that is no number, the machine decides."""
    assert 1 <= default_threads({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "²"}) == default_threads({}) <= 6


@pytest.mark.parametrize(
    ("environment", "fields"),
    [
        ({"MODEL_SOURCE": "layer", "RAXE_MODELS_DIR": "/opt/models"}, ("layer", Path("/opt/models"), None)),
        ({"MODEL_SOURCE": "efs", "RAXE_MODELS_DIR": "/mnt/models"}, ("efs", Path("/mnt/models"), None)),
        ({"MODEL_SOURCE": "s3", "RAXE_MODELS_URL": "s3://bucket/m"}, ("s3", Settings().models_dir, "s3://bucket/m")),
    ],
)
def test_a_source_of_models_comes_with_its_place(
    environment: dict[str, str], fields: tuple[str, Path, str | None]
) -> None:
    """Layer and file system are folders, s3 is an address."""
    found = from_environment(environment)
    assert (found.model_source, found.models_dir, found.models_url) == fields


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"MODEL_SOURCE": "s3"}, "RAXE_MODELS_URL"),
        ({"MODEL_SOURCE": "s3", "RAXE_MODELS_URL": " ", "RAXE_MODELS_DIR": "/opt/models"}, "RAXE_MODELS_URL"),
        ({"MODEL_SOURCE": "efs"}, "RAXE_MODELS_DIR"),
        ({"MODEL_SOURCE": "layer"}, "RAXE_MODELS_DIR"),
        ({"MODEL_SOURCE": "layer", "RAXE_MODELS_DIR": "/a", "RAXE_MODELS_URL": "s3://bucket"}, "must be s3"),
    ],
)
def test_a_source_that_contradicts_its_place_stops_the_start(environment: dict[str, str], words: str) -> None:
    """What the operator says and where models are must agree; nobody guesses which of the two was meant."""
    with pytest.raises(InvalidSettings, match=f"^MODEL_SOURCE .*{words}"):
        from_environment(environment)
