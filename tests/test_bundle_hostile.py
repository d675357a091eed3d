"""Damaged and hostile bundles: whatever is in the file, the answer is InvalidBundle and nothing large is unpacked."""

import io
import stat
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raxe.bundle import (
    parse_bundle,
)
from raxe.bundle.archive import pack, unpack
from raxe.errors import InvalidBundle
from tests.bundles import CONTENTS, DATA, members_of, same, sealed, zipped


def test_a_flipped_byte_is_noticed_or_harmless() -> None:
    """Any byte changed in any of three ways gives InvalidBundle or the very same contents."""
    for at in range(len(DATA)):
        for change in (0x01, 0x80, 0xFF):
            data = bytearray(DATA)
            data[at] ^= change
            try:
                read = parse_bundle(bytes(data))
            except InvalidBundle:
                continue
            assert same(read, CONTENTS), at


def test_a_cut_file_is_refused() -> None:
    """The first N bytes of a bundle are no bundle, for every N."""
    for size in range(len(DATA)):
        with pytest.raises(InvalidBundle):
            parse_bundle(DATA[:size])


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_other_error_leaks(data: st.DataObject) -> None:
    """Spliced, repeated and overwritten stretches give InvalidBundle or the same contents, never another error."""
    broken = bytearray(DATA)
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(broken)))
        end = min(len(broken), start + data.draw(st.integers(0, 40)))
        broken[start:end] = data.draw(st.binary(max_size=40))
    try:
        read = parse_bundle(bytes(broken))
    except InvalidBundle:
        return
    assert same(read, CONTENTS)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    """What is no zip is InvalidBundle."""
    with pytest.raises(InvalidBundle):
        parse_bundle(data)


@pytest.mark.parametrize("name", ["extra.txt", "../heads.onnx", "/etc/passwd", "heads.onnx/", "sub/heads.onnx"])
def test_a_member_of_another_name_is_refused(name: str) -> None:
    """An eighth member, and one in the place of another, is refused, whatever its name."""
    members = members_of()
    with pytest.raises(InvalidBundle, match="members"):
        parse_bundle(pack({**members, name: b"x"}))
    heads = members.pop("heads.onnx")
    with pytest.raises(InvalidBundle):
        parse_bundle(pack({**members, name: heads}))


def test_a_name_that_goes_on_after_a_nul_is_refused() -> None:
    """A name that only looks right because it is cut at a NUL is refused."""
    longer = pack({**members_of(), "heads.onnx": b"", "heads.onnx.x": bytes(64)}).replace(
        b"heads.onnx.x", b"heads.onnx\0x"
    )
    with pytest.raises(InvalidBundle):
        parse_bundle(longer)
    members = members_of()
    members["heads.onnx.x"] = members.pop("heads.onnx")
    with pytest.raises(InvalidBundle, match="members"):
        parse_bundle(pack(members).replace(b"heads.onnx.x", b"heads.onnx\0x"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused() -> None:
    """Neither eight entries nor seven of which two share a name pass."""
    entries = list(members_of().items())
    with pytest.raises(InvalidBundle, match="members"):
        parse_bundle(zipped([*entries, entries[0]]))
    with pytest.raises(InvalidBundle, match="members"):
        parse_bundle(zipped([*entries[:-1], entries[0]]))


def test_links_and_encrypted_members_are_refused() -> None:
    """A member that is a symbolic link, or flagged as encrypted, is refused."""
    link = zipfile.ZipInfo("heads.onnx")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    others = [entry for entry in members_of().items() if entry[0] != "heads.onnx"]
    with pytest.raises(InvalidBundle, match="link"):
        parse_bundle(zipped([*others, (link, b"/etc/passwd")]))
    data = bytearray(DATA)
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(InvalidBundle, match="encrypted"):
        parse_bundle(bytes(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packings_are_refused(method: int) -> None:
    """Only stored and deflated members are unpacked."""
    with pytest.raises(InvalidBundle, match="another way"):
        parse_bundle(zipped(list(members_of().items()), method))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    """50 MB of zeros in 50 kB are refused by their size, and 10 MB by their ratio."""
    for size, reason in ((50_000_000, "larger"), (10_000_000, "packed more than")):
        members = members_of() | {"heads.onnx": bytes(size)}
        with pytest.raises(InvalidBundle, match=reason):
            parse_bundle(zipped(list(members.items()), zipfile.ZIP_DEFLATED))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    """A member that says 1,000 bytes and unpacks to 50 MB is read to 1,000 bytes and then refused."""
    packed = zlib.compress(bytes(50_000_000), wbits=-15)
    data = bytearray(zipped([("a", packed)]))
    for marker, method_at, crc_at in ((b"PK\x03\x04", 8, 14), (b"PK\x01\x02", 10, 16)):
        at = data.index(marker)
        data[at + method_at : at + method_at + 2] = struct.pack("<H", zipfile.ZIP_DEFLATED)
        data[at + crc_at : at + crc_at + 12] = struct.pack("<LLL", 0, len(packed), 1000)
    with pytest.raises(InvalidBundle, match="damaged"):
        unpack(bytes(data), {"a": 2000}, "zip")


def test_a_large_directory_is_refused_before_it_is_built() -> None:
    """An archive of 20,000 entries is refused by the count at its end, even when that lies."""
    data = bytearray(zipped([(f"{at}", b"") for at in range(20_000)]))
    with pytest.raises(InvalidBundle, match="exactly 7 members"):
        parse_bundle(bytes(data))
    data[-14:-10] = struct.pack("<HH", 7, 7)
    with pytest.raises(InvalidBundle, match="directory"):
        parse_bundle(bytes(data))


def npy(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    """The bytes of a .npy file, pickled when NumPy has no other way."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def test_a_bomb_inside_the_clusters_is_refused() -> None:
    """The archive in the archive has the same limits."""
    bomb = zipped([("clusters.npy", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    with pytest.raises(InvalidBundle, match=r"attack_clusters\.npz: clusters\.npy is larger"):
        parse_bundle(sealed(attack_clusters__npz=bomb))


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}], dtype=object),
        np.array([[None, None]], dtype=object),
        np.zeros((3, 2), dtype=np.float64),
        np.zeros((3, 2), dtype=">f4"),
        np.zeros(2, dtype=np.float32),
        np.zeros((1, 3, 2), dtype=np.float32),
        np.zeros((3, 4), dtype=np.float32),
        np.zeros((2, 3), dtype=np.float32).T,
        np.full((3, 2), np.nan, dtype=np.float32),
        np.full((3, 2), np.inf, dtype=np.float32),
    ],
    ids=["pickle", "pickle-2d", "float64", "big-endian", "1-d", "3-d", "dimension", "fortran", "nan", "inf"],
)
def test_clusters_of_another_kind_are_refused(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    """Pickles, other types, other shapes and values that are not finite are refused without NumPy's loader."""
    with pytest.raises(InvalidBundle, match=r"attack_clusters\.npz: clusters\.npy"):
        parse_bundle(sealed(attack_clusters__npz=pack({"clusters.npy": npy(array)})))


@pytest.mark.parametrize("shape", [b"(9999999, 2)", b"(3, 2, 1)", b"(-3, 2)", b"(3, 2) or exit()"])
def test_an_announced_shape_is_not_believed(shape: bytes) -> None:
    """A header that announces more than the data holds, or holds code, allocates and runs nothing."""
    data = npy(CONTENTS.clusters).replace(b"(3, 2)", shape)
    with pytest.raises(InvalidBundle, match=r"clusters\.npy"):
        parse_bundle(sealed(attack_clusters__npz=pack({"clusters.npy": data})))


@pytest.mark.parametrize(
    "names",
    [
        np.array(["a", "b", None], dtype=object),
        np.array([b"a", b"b", b"c"]),
        np.array(["a", "b", "c"], dtype=">U1"),
        np.array([["a", "b", "c"]]),
        np.array(["a", "b"]),
        np.array(["a", "b", "c", "d"]),
        np.array(["a", "b", "b"]),
        np.array(["a", "b", ""]),
        np.array(["a", "b", "c\n"]),
        np.array(["a", "b", "c\0d"]),
        np.array(["a", "b", "c\x1b[2J"]),
        np.array(["a", "b", " c"]),
        np.array(["a", "b", "\u0441"]),
        np.array(["a", "b", "c"], dtype="<U65"),
        np.frombuffer(b"\xff" * 12, dtype="<U1"),
        np.frombuffer(b"\x61\x01\x00\x00" * 3, dtype="<U1"),
        np.zeros((3, 2), dtype=np.float32),
    ],
    ids=["pickle", "bytes", "big-endian", "2-d", "few", "many", "twice", "empty", "line", "nul", "escape", "blank",
         "cyrillic", "long", "no-code", "low-byte", "float"],
)  # fmt: skip
def test_names_of_another_kind_are_refused(names: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> None:
    """Names that are pickled, not one a cluster, repeated, long, or not of a few ASCII characters are refused."""
    members = {"clusters.npy": npy(CONTENTS.clusters), "names.npy": npy(names)}
    with pytest.raises(InvalidBundle, match=r"attack_clusters\.npz: names\.npy"):
        parse_bundle(sealed(attack_clusters__npz=pack(members)))


@pytest.mark.parametrize(
    "members", [["names.npy"], ["clusters.npy", "other.npy"], ["clusters.npy", "clusters.npy"], []]
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_only_the_names_may_be_missing(members: list[str]) -> None:
    """Clusters without centres, with another array or with the names twice are refused."""
    inner = zipped([(name, npy(CONTENTS.clusters)) for name in members])
    with pytest.raises(InvalidBundle, match=r"attack_clusters\.npz"):
        parse_bundle(sealed(attack_clusters__npz=inner))
