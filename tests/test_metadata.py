"""Metadata 2.0: published as it is coded, strict about values, made for bundles that have none or a v1 file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from functions.local.events import ROOT
from raxe.adapters import LocalBundleStore
from raxe.bootstrap import build_engine
from raxe.cli import app
from raxe.errors import InvalidBundle, InvalidMetadata, ModelNotFound
from raxe.registry import generate_metadata, load_metadata, migrate_metadata, parse_metadata
from raxe.registry.schema import json_schema, template
from tests.factories import FILES, MODEL_ID, ModelsFolder, metadata_of, sha256

SECRET = "hunter2"  # noqa: S105  (a value that no message may carry)


def edited(models: ModelsFolder, path: str, value: object) -> bytes:
    """The tiny model's metadata with one field replaced."""
    document = metadata_of(models) | {
        "performance": dict.fromkeys(("latency_p50_ms", "latency_p95_ms", "latency_p99_ms"), 1.0),
    }  # fmt: skip
    *sections, field = path.split(".")
    place: Any = document
    for section in sections:
        place = place[section]
    place[field] = value
    return json.dumps(document).encode()


def first_schema(**changed: object) -> dict[str, Any]:
    """A v1 file: bare names, no checksums, none of the later sections."""
    info = {"filename": f"{MODEL_ID}.raxe", "size_mb": 0.67, "checksum": None}
    return {
        "model_id": "old-model", "name": "Old", "version": "1.0.0", "variant": "standard", "description": "Of v1.",
        "status": "active", "file_info": info, "performance": {"target_latency_ms": 50, "p95_latency_ms": 45},
        "accuracy": {"binary_f1": 0.94}, "requirements": {"runtime": "onnx", "requires_gpu": False},
        "tags": ["balanced"], "recommended_for": ["general use"], "not_recommended_for": [], **changed,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "make"), [("metadata.schema.json", json_schema), ("metadata.template.jsonc", template)]
)
def test_what_docs_publish_is_what_the_code_says(name: str, make: Callable[[], str]) -> None:
    """The file in docs is what ``make schema`` would write."""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make(), "run `make schema`"


def test_the_template_is_metadata_once_its_comments_are_gone() -> None:
    """Every field has a comment line above it, and the rest of the lines are valid metadata."""
    lines = template().splitlines()
    metadata = parse_metadata("\n".join(line for line in lines if "//" not in line).encode(), "template")
    assert metadata.performance
    fields = [i for i, line in enumerate(lines) if line.strip().startswith('"')]
    assert [
        lines[i] for i in fields if not lines[i - 1].strip().startswith("// ") or lines[i - 1].endswith("// ")
    ] == []


@pytest.mark.parametrize("path", sorted((ROOT / "models" / "metadata").glob("*.json")), ids=lambda path: str(path.name))
def test_shipped_metadata_is_valid(path: Path) -> None:
    """What the project ships is metadata 2.0."""
    assert load_metadata(path).schema_version == "2.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("performance.latency_p95_ms", float("nan")),
        ("performance.latency_p99_ms", float("inf")),
        ("performance.latency_p50_ms", 2.0),
        ("file_info.size_mb", float("inf")),
        ("file_info.bundle_sha256", SECRET),
        ("file_info.golden", None),
        ("file_info.surprise", SECRET),
        ("monitoring", {"expected_flag_rate": [0.5, 0.1]}),
        ("monitoring", {"expected_flag_rate": [float("nan"), 1]}),
        ("schema_version", "3.0"),
        ("status", SECRET),
        ("model_id", "../" + SECRET),
        ("ml_config.max_length", SECRET),
        ("ml_config.quantization", SECRET),
        ("deployment", {"runtime": SECRET}),
        ("tags", SECRET),
    ],
)
def test_a_wrong_value_is_named_by_its_path_and_never_told(models: ModelsFolder, path: str, value: object) -> None:
    """NaN, infinity, unknown fields and wrong values are InvalidMetadata with the section, without the value."""
    with pytest.raises(InvalidMetadata) as caught:
        parse_metadata(edited(models, path, value), "some.json")
    assert str(caught.value).startswith("some.json: ")
    assert path.split(".")[0] in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("key", [SECRET + " and more", "a" * 100, "\n"])
def test_a_key_that_is_no_name_is_not_told(models: ModelsFolder, key: str) -> None:
    """The name of an unknown field may be somebody's text; one that does not look like a name is ``(unknown)``."""
    with pytest.raises(InvalidMetadata, match=r"\(unknown\): is not a known field$"):
        parse_metadata(edited(models, key.replace(".", ""), 1), "some.json")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000, b" " * 1_000_001])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    """Broken, deep and huge JSON is InvalidMetadata."""
    with pytest.raises(InvalidMetadata, match=r"^some\.json: "):
        parse_metadata(data, "some.json")


class TestGeneration:
    """Metadata for a bundle without it."""

    def test_a_bundle_tells_its_metadata(self, models: ModelsFolder) -> None:
        """What is generated fits the files, is experimental, and serves when it is asked for by name."""
        models.metadata.unlink()
        made = generate_metadata(FILES["bundle"], LocalBundleStore(models.root).path)
        assert (made.model_id, made.status.value, made.performance) == (MODEL_ID, "experimental", None)
        assert made.file_info.bundle_sha256 == sha256(models.path("bundle").read_bytes())
        assert made.ml_config.embedding_dimension == 3
        models.metadata.write_text(made.model_dump_json())
        assert build_engine(models.settings).broken == "ModelNotFound"  # experimental is never chosen by itself
        assert build_engine(replace(models.settings, l2_model=MODEL_ID)).broken is None

    @pytest.mark.parametrize("kind", ["bundle", "embeddings", "tokenizer"])
    def test_a_missing_neighbour_is_not_found(self, models: ModelsFolder, kind: str) -> None:
        """Without encoder or tokenizer there is no model."""
        models.path(kind).unlink()
        with pytest.raises(ModelNotFound):
            generate_metadata(FILES["bundle"], LocalBundleStore(models.root).path)

    def test_an_id_that_no_model_may_have_is_refused(self, models: ModelsFolder) -> None:
        """The bundle's id must fit the schema."""
        models.replace_bundle(model_id="Tiny_Model")
        with pytest.raises(InvalidMetadata, match="model_id"):
            generate_metadata(FILES["bundle"], LocalBundleStore(models.root).path)


class TestMigration:
    """A v1 file made into 2.0."""

    def test_a_first_file_is_pointed_to_the_command(self) -> None:
        """Loading a v1 file says how to make it a 2.0 one."""
        with pytest.raises(InvalidMetadata, match="raxe models migrate"):
            parse_metadata(json.dumps(first_schema()).encode(), "old.json")

    def test_the_command_makes_a_model_that_serves(self, models: ModelsFolder) -> None:
        """Checksums and sections come from the files; what has no place is named; the model then answers."""
        models.metadata.write_text(json.dumps(first_schema()))
        environment = {"RAXE_MODELS_DIR": str(models.root)}
        result = CliRunner().invoke(app, ["models", "migrate", str(models.metadata)], env=environment)
        assert result.exit_code == 0, result.output
        assert "dropped: accuracy\ndropped: performance\ndropped: requirements\n" in result.output
        metadata = load_metadata(models.metadata)
        assert (metadata.model_id, metadata.tags) == ("old-model", ("balanced",))
        assert metadata.file_info.bundle_model_id == MODEL_ID
        assert metadata.file_info.embeddings_sha256 == sha256(models.path("embeddings").read_bytes())
        assert build_engine(models.settings).broken is None

    def test_a_checksum_that_does_not_fit_stops_it(self, models: ModelsFolder) -> None:
        """A v1 checksum is believed: other bytes are InvalidBundle."""
        document = first_schema()
        document["file_info"]["checksum"] = "sha256:" + "0" * 64
        with pytest.raises(InvalidBundle, match="checksum"):
            migrate_metadata(json.dumps(document).encode(), "old.json", LocalBundleStore(models.root).path)

    @pytest.mark.parametrize("changed", [{"file_info": 1}, {"name": 1}, {"tags": "x"}, {"model_id": "NO"}])
    def test_wrong_fields_are_named(self, models: ModelsFolder, changed: dict[str, object]) -> None:
        """A wrong value of v1 stays wrong."""
        data = json.dumps(first_schema(**changed)).encode()
        with pytest.raises(InvalidMetadata, match=next(iter(changed))):
            migrate_metadata(data, "old.json", LocalBundleStore(models.root).path)

    def test_a_bundle_that_is_nowhere_is_not_found(self, models: ModelsFolder) -> None:
        """The bundle's name must lead to a file, as written or in ``bundles``."""
        data = json.dumps(first_schema(file_info={"filename": "none.raxe"})).encode()
        with pytest.raises(ModelNotFound, match=r"file_info\.bundle"):
            migrate_metadata(data, "old.json", LocalBundleStore(models.root).path)
