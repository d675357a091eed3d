"""Models in an S3 bucket. boto3 is imported when the first store is made, never by ``import raxe``.

Writes are conditional (If-None-Match, If-Match) and carry a SHA-256 that S3 compares; reads compare it again.
Needs ``s3:GetObject`` and ``s3:ListBucket``: without the second, S3 answers 403 for what is missing.
"""

import base64
import hashlib
import io
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from raxe.adapters.aws import Trouble, aws_client, aws_errors, store_error
from raxe.adapters.keys import checked
from raxe.errors import ModelNotFound, StoreConflict, StoreUnavailable
from raxe.protocols import StoredObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK = 1 << 18


class _Unchanged(Exception):
    """S3 says that the object did not change."""


@dataclass(frozen=True, slots=True)
class S3Options:
    """How the bucket is spoken to.

    Attributes:
        endpoint_url: another address than AWS's, such as one on loopback.
        connect_timeout_s: seconds to open a connection.
        read_timeout_s: seconds without a byte.
        deadline_s: seconds for the whole of one object.
        attempts: tries of one call, the first included.
        page_size: keys in one answer when objects are listed, 1 to 1,000.
    """

    endpoint_url: str | None = None
    connect_timeout_s: float = 2.0
    read_timeout_s: float = 5.0
    deadline_s: float = 60.0
    attempts: int = 3
    page_size: int = 1000


class S3BundleStore:
    """Objects below a prefix of one bucket."""

    def __init__(self, bucket: str, prefix: str = "", options: S3Options | None = None) -> None:
        """Makes the client; the first call to S3 comes with the first method."""
        self._options = options or S3Options()
        self._bucket, self._prefix = bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client: S3Client = aws_client(
            "s3",
            self._options.connect_timeout_s,
            self._options.read_timeout_s,
            self._options.attempts,
            self._options.endpoint_url,
        )

    def entries(self, folder: str) -> list[StoredObject]:
        """The objects right in a folder, sorted by key; one call for each thousand."""
        start = f"{self._prefix}{checked(folder)}/"
        paginator = self._client.get_paginator("list_objects_v2")
        with self._typed(folder):
            pages = paginator.paginate(
                Bucket=self._bucket, Prefix=start, Delimiter="/", PaginationConfig={"PageSize": self._options.page_size}
            )
            found = [item for page in pages for item in page.get("Contents", ()) if item["Key"] != start]
        objects = (StoredObject(item["Key"][len(self._prefix) :], item["ETag"], item["Size"]) for item in found)
        return sorted((each for each in objects if not Path(each.key).name.startswith(".")), key=lambda each: each.key)

    def stat(self, key: str) -> StoredObject:
        """The object of that key, without its content; raises ModelNotFound."""
        with self._typed(key):
            answer = self._client.head_object(**self._place(key))
        return StoredObject(key, answer["ETag"], answer["ContentLength"])

    def read(self, key: str, unless: str | None = None) -> tuple[bytes, str] | None:
        """Content and ETag of a document, None when its ETag still is ``unless``; raises ModelNotFound."""
        buffer = io.BytesIO()
        etag = self._get(key, buffer, {"IfNoneMatch": unless} if unless else {})
        return None if etag is None else (buffer.getvalue(), etag)

    def path(self, key: str) -> Path | None:
        """None: every object has to be downloaded."""
        checked(key)
        return None

    def download(self, key: str, target: BinaryIO) -> str:
        """Writes the content to an open file and gives its ETag; raises ModelNotFound."""
        return self._get(key, target, {}) or ""

    def write(self, key: str, content: bytes | Path, match: str | None) -> str:
        """The ETag of the new content; raises StoreConflict when there is another object than ``match``."""
        condition: dict[str, Any] = {"IfMatch": match} if match else {"IfNoneMatch": "*"}
        with self._typed(key, conflict_when_missing=match is not None):
            if isinstance(content, Path):
                with content.open("rb") as file:
                    return self._put(key, file, condition)
            return self._put(key, content, condition)

    def _put(self, key: str, body: bytes | BinaryIO, condition: dict[str, Any]) -> str:
        answer = self._client.put_object(**self._place(key), Body=body, ChecksumAlgorithm="SHA256", **condition)
        return answer["ETag"]

    def _get(self, key: str, target: BinaryIO, condition: dict[str, Any]) -> str | None:
        """The ETag of the object that was written to ``target``, None when S3 says that it did not change."""
        deadline = time.monotonic() + self._options.deadline_s
        try:
            with self._typed(key):
                answer = self._client.get_object(**self._place(key), ChecksumMode="ENABLED", **condition)
                # The stream below botocore's own, which gives what came instead of waiting until a chunk is full: a
                # body that drips meets the deadline. Length and checksum are compared here for that reason.
                body: Any = answer["Body"]
                size, digest = 0, hashlib.sha256()
                with body as stream:
                    while chunk := stream.read1(_CHUNK):
                        target.write(chunk)
                        size += len(chunk)
                        digest.update(chunk)
                        if time.monotonic() > deadline:
                            raise StoreUnavailable(f"{key}: took longer than {self._options.deadline_s:g} seconds")
        except _Unchanged:
            return None
        expected = answer.get("ChecksumSHA256")  # absent for objects that others wrote without one
        if size != answer["ContentLength"] or expected not in (None, base64.b64encode(digest.digest()).decode()):
            raise StoreUnavailable(f"{key}: came broken")
        return answer["ETag"]

    def _place(self, key: str) -> Any:  # noqa: ANN401  (arguments of any call)
        return {"Bucket": self._bucket, "Key": self._prefix + checked(key)}

    def _typed(self, key: str, *, conflict_when_missing: bool = False) -> AbstractContextManager[None]:
        """Makes an error of botocore one of ours."""

        def made(trouble: Trouble, said: str) -> Exception:
            if trouble is Trouble.SETTLED:
                return _Unchanged()
            if trouble is Trouble.MISSING and not conflict_when_missing:
                return ModelNotFound(f"no model file {key}")
            if trouble in {Trouble.MISSING, Trouble.CONFLICT}:
                return StoreConflict(f"{key}: is not what it was thought to be")
            return store_error(trouble, f"{key}: {said}")

        return aws_errors(made, "S3")
