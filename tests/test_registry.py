"""``ModelRegistry`` over a folder: what it finds, what it hides from nobody, what it loads and checks."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import raxe
from functions.local.events import ROOT
from raxe.bootstrap import ModelRegistry
from raxe.classifier import sessions_built
from raxe.errors import InvalidBundle, InvalidInput, InvalidMetadata, ModelNotFound, StoreUnavailable
from raxe.registry import dump_metadata
from tests.factories import MODEL_ID, PLUGH, ZORKMID, ModelsFolder, encoder_onnx, metadata_of
from tests.fakes import FakeStore

OTHER_OUTPUT = encoder_onnx(output="other")


def registry_of(models: ModelsFolder, cache: Path | None = None) -> ModelRegistry:
    """A registry over the folder, with room for two loaded models."""
    return ModelRegistry(settings=replace(models.settings, cache_dir=cache or models.root.parent / "cache"))


def add(models: ModelsFolder, model_id: str, **changed: object) -> None:
    """Drops metadata of a variant that shares all files of the tiny model."""
    document = metadata_of(models) | {"model_id": model_id, **changed}
    document["file_info"]["bundle_model_id"] = MODEL_ID
    models.metadata.with_name(f"{model_id}.json").write_text(json.dumps(document))


def in_memory(models: ModelsFolder) -> FakeStore:
    """The same folder as a store that has to be downloaded from."""
    files = [path for path in models.root.rglob("*") if path.is_file()]
    return FakeStore({path.relative_to(models.root).as_posix(): path.read_bytes() for path in files})


def test_an_entry_of_the_index_under_another_key_takes_no_models_place(models: ModelsFolder) -> None:
    """A document whose id is not its key stands in the errors; the model of that id keeps its own document."""
    own, other = metadata_of(models), metadata_of(models) | {"status": "deprecated"}
    for order in ((MODEL_ID, "zz-other"), ("aa-other", MODEL_ID)):
        entries = {key: own if key == MODEL_ID else other for key in order}
        store = in_memory(models)
        store.objects["index.json"] = json.dumps({"schema": "raxe.index/1", "models": entries}).encode()
        registry = ModelRegistry(store, settings=models.settings)
        assert registry.get_model(MODEL_ID).status == "active"
        assert {type(error) for error in registry.errors.values()} == {InvalidMetadata}


def test_models_are_listed_by_what_they_are(models: ModelsFolder) -> None:
    """Status, runtime and tags each narrow the list; all tags must be there."""
    add(models, "second", tags=["small", "fast"])
    add(models, "third", tags=["small"], status="deprecated")
    registry = registry_of(models)
    ids = [[model.model_id for model in found] for found in (
        registry.list_models(), registry.list_models(status="active"), registry.list_models(tags=["small"]),
        registry.list_models(tags=["small", "fast"], runtime="onnx"), registry.list_models(runtime="none"),
    )]  # fmt: skip
    assert ids == [["second", "third", MODEL_ID], ["second", MODEL_ID], ["second", "third"], ["second"], []]


def test_variants_share_a_bundle_and_answer_by_their_own_id(models: ModelsFolder, tmp_path: Path) -> None:
    """Each file is downloaded once for both, and each detector names its variant."""
    add(models, "second")
    store = in_memory(models)
    registry = ModelRegistry(store, settings=replace(models.settings, cache_dir=tmp_path / "cache"))
    detectors = [registry.create_detector(each) for each in (MODEL_ID, "second")]
    assert [detector.model_info.model_id for detector in detectors] == [MODEL_ID, "second"]
    assert [detector.analyze(f"a {ZORKMID}").score > 0.9 for detector in detectors] == [True, True]
    downloads = [key for method, key in store.calls if method == "download"]
    assert len(downloads) == len(set(downloads)) == 4


def test_nothing_is_loaded_before_it_is_asked_for(models: ModelsFolder) -> None:
    """A registry builds no session; a detector does, once; the same one comes again."""
    before = sessions_built()
    registry = registry_of(models)
    assert sessions_built() == before
    detector = registry.create_detector(criteria="memory")
    built = sessions_built()
    assert built > before
    assert registry_of(models).create_detector(MODEL_ID) is detector
    assert sessions_built() == built


def test_the_least_recently_used_model_is_loaded_again(models: ModelsFolder) -> None:
    """With room for one, a second model makes the first one go."""
    add(models, "second")
    registry = ModelRegistry(settings=replace(models.settings, model_cache_size=1))
    first = registry.create_detector(MODEL_ID)
    registry.create_detector("second")
    assert registry.create_detector(MODEL_ID) is not first


@pytest.mark.parametrize(
    ("wrong", "name", "error"),
    [
        (lambda m: m.metadata.with_name("bad.json").write_text("{"), "bad.json", InvalidMetadata),
        (lambda m: add(m, "Bad"), "Bad.json", InvalidMetadata),
        (lambda m: m.metadata.with_name("twin.json").write_text(m.metadata.read_text()), "twin.json", InvalidMetadata),
        (lambda m: (m.root / "bundles" / "bad.raxe").write_bytes(b"PK"), "bad.raxe", InvalidBundle),
    ],
)
def test_one_broken_model_never_hides_the_others(
    models: ModelsFolder, wrong: Callable[[ModelsFolder], object], name: str, error: type[Exception]
) -> None:
    """It stands in ``errors`` by its name; the others are listed and load."""
    wrong(models)
    registry = registry_of(models)
    assert [type(each) for each in registry.errors.values()] == [error]
    assert list(registry.errors) == [name]
    assert registry.create_detector().analyze(PLUGH).score > 0.9


def test_a_bundle_without_metadata_appears_as_experimental(models: ModelsFolder) -> None:
    """It is listed with generated metadata and loads by its id, but is never chosen by itself."""
    models.metadata.unlink()
    registry = registry_of(models)
    assert [(model.model_id, model.status.value) for model in registry.list_models()] == [(MODEL_ID, "experimental")]
    assert registry.create_detector(MODEL_ID).model_info.model_id == MODEL_ID
    with pytest.raises(ModelNotFound):
        registry.create_detector()


def test_an_unknown_criterion_names_the_known_ones(models: ModelsFolder) -> None:
    """The message lists the four."""
    with pytest.raises(InvalidInput, match="latency, accuracy, memory, balanced"):
        registry_of(models).get_best_model("speed")


def test_a_comparison_prints_one_row_a_model(models: ModelsFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """In the order asked for, with dashes for what was not measured."""
    add(models, "second", performance=dict.fromkeys(("latency_p50_ms", "latency_p95_ms", "latency_p99_ms"), 1.25))
    registry_of(models).compare_models(["second", MODEL_ID]).print_table()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == ["id", "second", MODEL_ID]
    assert lines[1][3:6] == ["1.25"] * 3
    assert lines[2][3:] == ["-"] * 8
    with pytest.raises(ModelNotFound):
        registry_of(models).compare_models(["nobody"])


class TestReload:
    """A registry that lives on while its store changes."""

    def test_tells_what_is_new_gone_or_changed(self, models: ModelsFolder) -> None:
        """And gives the new metadata from then on."""
        add(models, "second")
        add(models, "third")
        registry = registry_of(models)
        assert registry.reload() == ()
        models.metadata.with_name("second.json").unlink()
        add(models, "third", status="deprecated")
        add(models, "fourth")
        assert registry.reload() == ("fourth", "second", "third")
        assert registry.get_model("third").status.value == "deprecated"

    def test_reads_only_what_changed(self, models: ModelsFolder) -> None:
        """Documents with the ETag of before are not read."""
        add(models, "second")
        store = in_memory(models)
        registry = ModelRegistry(store, settings=models.settings)
        store.calls.clear()
        registry.reload()
        assert store.calls == [("read", "index.json"), ("entries", "metadata"), ("entries", "bundles")]

    def test_a_store_that_fails_leaves_all_as_it_was(self, models: ModelsFolder, tmp_path: Path) -> None:
        """The error is raised; models are listed and loaded ones serve as before."""
        store = in_memory(models)
        registry = ModelRegistry(store, settings=replace(models.settings, cache_dir=tmp_path / "cache"))
        detector = registry.create_detector()
        store.failing = StoreUnavailable("index.json: S3 answered 503")
        with pytest.raises(StoreUnavailable):
            registry.reload()
        assert registry.create_detector() is detector
        assert [model.model_id for model in registry.list_models()] == [MODEL_ID]


class TestValidation:
    """``validate_model`` says what holds, one line a check."""

    def test_a_good_model_passes_all(self, models: ModelsFolder) -> None:
        """Every check is there and none has a problem."""
        add(models, MODEL_ID, requirements={"onnxruntime": ">=1.20"})
        found = registry_of(models).validate_model(MODEL_ID)
        names = [check.name for check in found.checks]
        files = ["file bundle", "file embeddings", "file tokenizer", "file golden"]
        assert names == ["metadata", *files, "bundle", "requirements", "loading and inference", "golden texts"]
        assert found.passed

    @pytest.mark.parametrize(
        ("wrong", "check", "words"),
        [
            (lambda m: m.path("tokenizer").write_text("{}"), "file tokenizer", "InvalidBundle"),
            (lambda m: m.path("bundle").unlink(), "file bundle", "ModelNotFound"),
            (
                lambda m: m.replace("embeddings", OTHER_OUTPUT),
                "loading and inference",
                "ModelLoadFailed",
            ),
            (lambda m: m.replace("golden", b'{"texts": [{"text": "a", "score": 1}]}'), "golden texts", "differ"),
            (lambda m: m.edit_metadata(requirements={"onnxruntime": ">=99"}), "requirements", "is installed"),
            (lambda m: m.edit_metadata(requirements={"no-such-package": ">=1"}), "requirements", "not installed"),
            (lambda m: m.replace_bundle(model_id="other"), "bundle", "another model"),
            (lambda m: m.edit_metadata(surprise=1), "metadata", "surprise: is not a known field"),
        ],
    )
    def test_a_wrong_model_fails_where_it_is_wrong(
        self, models: ModelsFolder, wrong: Callable[[ModelsFolder], object], check: str, words: str
    ) -> None:
        """The first check with a problem is the one, and says what it is."""
        wrong(models)
        found = registry_of(models).validate_model(MODEL_ID)
        first = next(each for each in found.checks if each.problem)
        assert (first.name, found.passed) == (check, False)
        assert words in (first.problem or "")


def test_the_public_name_reads_the_environment(models: ModelsFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """``raxe.ModelRegistry()`` is the folder of RAXE_MODELS_DIR, and metadata written from it is the same."""
    monkeypatch.setenv("RAXE_MODELS_DIR", str(models.root))
    model = raxe.ModelRegistry().get_model(MODEL_ID)
    models.metadata.write_text(dump_metadata(model))
    assert raxe.ModelRegistry().get_model(MODEL_ID) == model


def test_the_documented_use_works(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first example of docs/registry.md runs over the shipped models as it stands there."""
    monkeypatch.delenv("RAXE_MODELS_DIR", raising=False)
    text = (ROOT / "docs" / "registry.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(example, "docs/registry.md", "exec"), names)  # noqa: S102  (our own text)
    assert "raxe-minilm-l6-v1" in capsys.readouterr().out
    assert names["detector"].model_info.model_id
    assert names["registry"].validate_model("raxe-minilm-l6-v1").passed
