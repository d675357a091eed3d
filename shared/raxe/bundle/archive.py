"""Zip archives that are not trusted: everything about one is checked before a byte of it is unpacked.

Used for the bundle and again for the .npz inside it. The writer stores members, so that equal members give equal bytes
on every machine; the reader takes deflated ones too.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping, Set

from raxe.errors import InvalidBundle

MAX_RATIO = 100  # unpacked bytes per packed byte; what we store stays far below
MAX_DIRECTORY = 4096  # bytes of the table of contents

_END = struct.Struct("<4s4H2LH")  # end of central directory: marker, disks, counts, size and place of it, comment
_ZIP64_MARK = b"PK\x06\x07"
_EPOCH = (1980, 1, 1, 0, 0, 0)
# All that zipfile and zlib raise on damaged input.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    RuntimeError,
    OverflowError,
)


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of stored members in the order of their names, with no clock in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3
            info.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


def unpack(data: bytes, limits: Mapping[str, int], what: str, *, optional: Set[str] = frozenset()) -> dict[str, bytes]:
    """The members of a zip, which must be exactly the keys of ``limits`` and at most so many bytes each.

    Those that are ``optional`` may be missing.

    Raises:
        InvalidBundle: when it is no zip, has other, repeated, encrypted or linked members, when one is larger or better
            packed than allowed, says another size than it has, or fails its CRC; the message begins with ``what``.
    """
    _check_end(data, range(len(limits) - len(optional), len(limits) + 1), what)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = [info.filename for info in infos]
            if (
                sorted({*names, *optional}) != sorted(limits)
                or len(set(names)) < len(names)
                or any(info.orig_filename != info.filename for info in infos)
            ):
                raise InvalidBundle(f"{what}: its members are not exactly {', '.join(sorted(limits))}")
            for info in infos:
                _check_member(info, limits[info.filename], what)
            return {info.filename: _read(archive, info, what) for info in infos}
    except _DAMAGE as error:
        raise InvalidBundle(f"{what}: the archive is damaged ({type(error).__name__})") from None


def _check_end(data: bytes, counts: range, what: str) -> None:
    """Raises InvalidBundle unless the last 22 bytes announce a small directory right before them and nothing else.

    This bounds what zipfile builds in memory: it makes an object of every entry before anybody can count them.
    """
    if len(data) < _END.size or not data.startswith(b"PK\x03\x04"):
        raise InvalidBundle(f"{what}: is not a zip archive")
    mark, disk, first, here, total, size, place, comment = _END.unpack(data[-_END.size :])
    if mark != b"PK\x05\x06" or data[-_END.size - 20 : -_END.size - 16] == _ZIP64_MARK:
        raise InvalidBundle(f"{what}: the archive is cut off, has a comment or is of the 64-bit kind")
    if (disk, first, comment) != (0, 0, 0) or here != total or total not in counts:
        raise InvalidBundle(f"{what}: it does not have exactly {' or '.join(map(str, counts))} members")
    if size > MAX_DIRECTORY or place + size + _END.size != len(data):
        raise InvalidBundle(f"{what}: the directory of the archive is not where or as large as it should be")


def _check_member(info: zipfile.ZipInfo, limit: int, what: str) -> None:
    """Raises InvalidBundle when what the directory says of a member is not allowed."""
    place = f"{what}: {info.filename}"
    if info.flag_bits & 0x41:
        raise InvalidBundle(f"{place} is encrypted")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise InvalidBundle(f"{place} is a link or no file")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InvalidBundle(f"{place} is packed in another way than stored or deflated")
    if info.file_size > limit:
        raise InvalidBundle(f"{place} is larger than {limit} bytes")
    if info.file_size > MAX_RATIO * max(info.compress_size, 1):
        raise InvalidBundle(f"{place} is packed more than {MAX_RATIO} times")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, what: str) -> bytes:
    """The bytes of a member; never unpacks more than the size that was checked."""
    with archive.open(info) as member:
        data = member.read(info.file_size + 1)
    if len(data) != info.file_size:
        raise InvalidBundle(f"{what}: {info.filename} has another size than it says")
    return data
