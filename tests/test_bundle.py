"""The .raxe bundle: what is written is read, equal contents give equal bytes, wrong fields and files are refused."""

import dataclasses
import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from raxe.bundle import (
    TrainingStats,
    build_bundle,
    parse_bundle,
    read_bundle,
    write_bundle,
)
from raxe.bundle.archive import pack
from raxe.errors import InvalidBundle, ModelNotFound
from tests.bundles import CONTENTS, DATA, edited, members_of, same, sealed, zipped


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Every field comes back, and the digest is the checksum of the file."""
    path = tmp_path / "tiny.raxe"
    digest = write_bundle(path, CONTENTS)
    bundle = read_bundle(path)
    assert same(bundle, CONTENTS)
    assert bundle.digest == digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert (bundle.manifest.model_id, bundle.manifest.version) == ("tiny", "1.0.0")
    assert bundle.clusters.dtype == np.float32
    assert not bundle.clusters.flags.writeable


def test_a_bundle_without_clusters_is_allowed() -> None:
    """No cluster at all is an array of no rows."""
    empty = dataclasses.replace(CONTENTS, clusters=np.zeros((0, 2), dtype=np.float32), cluster_names=())
    assert parse_bundle(build_bundle(empty)).clusters.shape == (0, 2)


def test_a_bundle_from_before_names_and_threshold_is_read(tmp_path: Path) -> None:
    """Without both a bundle has the members and fields that it had before there were any, and reads as having none."""
    stats = dataclasses.replace(CONTENTS.stats, anomaly_threshold=None)
    old = dataclasses.replace(CONTENTS, stats=stats, cluster_names=())
    write_bundle(tmp_path / "old.raxe", old)
    assert same(read_bundle(tmp_path / "old.raxe"), old)
    members = members_of((tmp_path / "old.raxe").read_bytes())
    assert b"anomaly_threshold" not in members["training_stats.json"]
    with zipfile.ZipFile(io.BytesIO(members["attack_clusters.npz"])) as archive:
        assert archive.namelist() == ["clusters.npy"]


def test_numpy_reads_the_clusters_without_pickles() -> None:
    """Centres and names are plain arrays: NumPy's own loader gives them with pickles off."""
    with np.load(io.BytesIO(members_of()["attack_clusters.npz"]), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["clusters"], CONTENTS.clusters)
        assert tuple(arrays["names"]) == CONTENTS.cluster_names


def test_equal_contents_give_equal_bytes(tmp_path: Path) -> None:
    """Two writes of the same contents, fields in another order, are the same file."""
    again = dataclasses.replace(CONTENTS, stats=dataclasses.replace(CONTENTS.stats, metrics={"b": 1.0, "a": 2.0}))
    other = dataclasses.replace(CONTENTS, stats=dataclasses.replace(CONTENTS.stats, metrics={"a": 2.0, "b": 1.0}))
    assert write_bundle(tmp_path / "a.raxe", again) == write_bundle(tmp_path / "b.raxe", other)
    assert (tmp_path / "a.raxe").read_bytes() == (tmp_path / "b.raxe").read_bytes()


def test_deflated_members_and_numpys_own_archive_are_read() -> None:
    """A bundle that another tool packed, with clusters saved by NumPy, is as good as ours."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, clusters=CONTENTS.clusters, names=np.array(CONTENTS.cluster_names))
    members = members_of(sealed(attack_clusters__npz=buffer.getvalue()))
    assert same(parse_bundle(zipped(list(members.items()), zipfile.ZIP_DEFLATED)), CONTENTS)


def test_a_wrong_checksum_is_refused() -> None:
    """A member that is intact as a zip member but not the one in the manifest is refused by name."""
    members = members_of()
    members["heads.onnx"] = bytes(64)
    with pytest.raises(InvalidBundle, match=r"heads\.onnx: has another checksum"):
        parse_bundle(pack(members))
    members["heads.onnx"] = bytes(65)
    with pytest.raises(InvalidBundle, match=r"heads\.onnx: has another size"):
        parse_bundle(pack(members))


@pytest.mark.parametrize(
    ("member", "edit"),
    [
        ("manifest.json", lambda value: value.update(schema="raxe.bundle/2")),
        ("manifest.json", lambda value: value.update(model_id="../up")),
        ("manifest.json", lambda value: value.update(created="2025-13-40")),
        ("manifest.json", lambda value: value.update(created=20251120)),
        ("manifest.json", lambda value: value.update(more=1)),
        ("embedding_config.json", lambda value: value.pop("dimension")),
        ("embedding_config.json", lambda value: value.update(dimension=True)),
        ("embedding_config.json", lambda value: value.update(dimension="2")),
        ("embedding_config.json", lambda value: value.update(stride=127)),
        ("embedding_config.json", lambda value: value.update(pooling=["mean"])),
        ("embedding_config.json", lambda value: value.update(normalize=1)),
        ("training_stats.json", lambda value: value.update(temperature=0)),
        ("training_stats.json", lambda value: value.update(block_threshold=1.5)),
        ("training_stats.json", lambda value: value.update(block_threshold=float("nan"))),
        ("training_stats.json", lambda value: value["metrics"].update(a=1e400)),
        ("training_stats.json", lambda value: value.update(review_threshold=0.9)),
        ("training_stats.json", lambda value: value.update(metrics=[])),
        ("training_stats.json", lambda value: value.update(anomaly_threshold=2.1)),
        ("training_stats.json", lambda value: value.update(anomaly_threshold=None)),
        ("keyword_triggers.json", lambda value: value.update(XX=["a"])),
        ("keyword_triggers.json", lambda value: value.update(PI=["\ud800"])),
        ("keyword_triggers.json", lambda value: value.update(PI="ignore")),
        ("schema.json", lambda value: value.update(binary=["benign"])),
        ("schema.json", lambda value: value.update(families=["PI", "PI"])),
        ("schema.json", lambda value: value.update(families=[])),
        ("schema.json", lambda value: value.update(subfamilies=[])),
        ("schema.json", lambda value: value["subfamilies"][0].update(family="JB")),
        ("schema.json", lambda value: value["subfamilies"][0].update(severity="fatal")),
        ("schema.json", lambda value: value["subfamilies"].append(value["subfamilies"][0])),
        ("schema.json", lambda value: value["subfamilies"].append("prompt_leak")),
    ],
)
def test_a_field_of_another_form_is_refused_by_member(member: str, edit: Callable[[dict[str, object]], object]) -> None:
    """Missing, unknown, mistyped and out-of-range fields are refused; the message names the member."""
    with pytest.raises(InvalidBundle, match=member.replace(".", r"\.")):
        parse_bundle(edited(member, edit))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff{}",
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a": ' * 50_000,
        b"9" * 10_000,
        b"NaN",
    ],
)
def test_a_member_that_is_not_our_json_is_refused(text: bytes) -> None:
    """Broken, repeated, deeply nested or oversized JSON is InvalidBundle like everything else."""
    for member in ("embedding_config.json", "manifest.json"):
        if text or member == "manifest.json":
            with pytest.raises(InvalidBundle, match=member.replace(".", r"\.")):
                parse_bundle(sealed(**{member.replace(".", "__"): text}))


def test_a_missing_file_is_model_not_found(tmp_path: Path) -> None:
    """No file, or a file where a folder should be, is ModelNotFound."""
    (tmp_path / "file").write_bytes(DATA)
    for path in (tmp_path / "none.raxe", tmp_path / "file" / "none.raxe"):
        with pytest.raises(ModelNotFound):
            read_bundle(path)


def test_what_is_no_regular_file_is_refused_unopened(tmp_path: Path) -> None:
    """A folder, a pipe (which would block) and a path with NUL are InvalidBundle."""
    os.mkfifo(tmp_path / "pipe.raxe")
    for path in (tmp_path, tmp_path / "pipe.raxe", "a\0b"):
        with pytest.raises(InvalidBundle):
            read_bundle(path)


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    """65 MB, sparse here, are refused by their size."""
    path = tmp_path / "large.raxe"
    with path.open("wb") as file:
        file.truncate(65 * 1024 * 1024)
    with pytest.raises(InvalidBundle, match="larger"):
        read_bundle(path)


@pytest.mark.parametrize(("place", "stage"), [(os, "fsync"), (Path, "chmod"), (Path, "replace")])
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: object, stage: str
) -> None:
    """When writing is interrupted at any stage, the old bundle is whole and no temporary file stays."""
    path = tmp_path / "tiny.raxe"
    write_bundle(path, CONTENTS)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, stage, interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(path, dataclasses.replace(CONTENTS, version="2.0.0"))
    monkeypatch.undo()
    assert read_bundle(path).version == "1.0.0"
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.raxe"]


@pytest.mark.parametrize(
    "changes",
    [
        {"model_id": "has space"},
        {"heads_onnx": b""},
        {"clusters": np.zeros((3, 5), dtype=np.float32)},
        {"cluster_names": ("one", "two")},
        {"cluster_names": ("one", "two", "two")},
        {"cluster_names": ("one", "two", "a\x1b[2J")},
        {"cluster_names": ("one", "two", "n" * 65)},
        {"triggers": {"XX": ("a",)}},
        {"stats": TrainingStats(1, 1.0, 0.4, 0.8, {"a": float("nan")})},
        {"triggers": {"PI": (object(),)}},
    ],
)
def test_contents_that_could_not_be_read_are_not_written(tmp_path: Path, changes: dict[str, object]) -> None:
    """The writer refuses what the reader would refuse, and writes nothing."""
    with pytest.raises(InvalidBundle):
        write_bundle(tmp_path / "bad.raxe", dataclasses.replace(CONTENTS, **changes))  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
