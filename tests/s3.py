"""S3 on loopback: a moto server for what S3 does, a small HTTP server for what it does on a bad day."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from raxe.adapters.s3 import S3BundleStore, S3Options

_numbers = itertools.count()
Requests = list[str]
PAGE = 2  # keys in a page, so that a few objects need several


@contextmanager
def running(server: HTTPServer) -> Iterator[str]:
    """The address of the server, which answers in a thread of its own until the end."""
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def moto_server(requests: Requests | None = None) -> Iterator[str]:
    """The address of a running S3, which takes one request at a time and notes ``GET /bucket/key 200`` of each.

    S3's conditional writes are atomic; moto looks and then writes, which is that only when nobody comes in between.
    """
    app, turn = DomainDispatcherApplication(create_backend_app), Lock()

    def one_by_one(environ: dict[str, Any], start_response: Any) -> Any:  # noqa: ANN401  (WSGI)
        def noted(status: str, *rest: Any) -> Any:  # noqa: ANN401
            if requests is not None:
                requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {status[:3]}")
            return start_response(status, *rest)

        with turn:
            return app(environ, noted)

    with running(make_server("127.0.0.1", 0, one_by_one, threaded=True)) as address:
        yield address


def new_bucket(endpoint: str, name: str | None = None) -> str:
    """The name of a new bucket, by default one that nobody else uses."""
    name = name or f"raxe-test-{next(_numbers)}"
    boto3.session.Session().client("s3", endpoint_url=endpoint).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    return name


def bucket_store(endpoint: str, bucket: str | None = None) -> S3BundleStore:
    """A store over a bucket, a new one by default, below a prefix, with small pages."""
    options = S3Options(endpoint_url=endpoint, page_size=PAGE, attempts=1)
    return S3BundleStore(bucket or new_bucket(endpoint), "some/prefix", options)


@contextmanager
def bad_server(status: int, *, body: bytes = b"", pause_s: float = 0.0, claims: int = 0) -> Iterator[str]:
    """The address of a server that answers all with one status, its body byte by byte with a pause before each."""

    class Handler(BaseHTTPRequestHandler):
        """Answers."""

        def do_GET(self) -> None:
            """Writes the answer; a client that is gone ends it."""
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(claims or len(body)))
                self.send_header("ETag", '"0"')
                self.end_headers()
                for byte in body:
                    time.sleep(pause_s)
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
            except OSError:
                self.close_connection = True

        do_PUT = do_HEAD = do_POST = do_GET  # noqa: N815  (names of the base class)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (of the base class)
            """Says nothing."""

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as address:
        yield address
