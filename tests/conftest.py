"""What the tests of the library share: the tiny model on disk, and an engine that has it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from raxe.bootstrap import Engine, build_engine
from raxe.rules import RuleSet, load_rule_set
from tests.aws import FakeAws, fake_aws
from tests.factories import ModelsFolder, write_models
from tests.handlers import Handler, load_handler
from tests.s3 import moto_server
from tests.served import Served, published_objects, serve


@pytest.fixture
def models(tmp_path: Path) -> ModelsFolder:
    """A models folder of this test's own, to be broken at will."""
    return write_models(tmp_path / "models")


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine with the real rules and the tiny model."""
    return build_engine(write_models(tmp_path_factory.mktemp("models") / "models").settings)


@pytest.fixture(scope="session")
def rule_set() -> RuleSet:
    """The shipped rules, compiled once."""
    return load_rule_set()


@pytest.fixture(scope="session")
def scan_handler(tmp_path_factory: pytest.TempPathFactory) -> Handler:
    """The scan function over the tiny model."""
    models = write_models(tmp_path_factory.mktemp("scan") / "models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAXE_MODELS_DIR", str(models.root))
        return load_handler("scan", "/v1/scan")


@pytest.fixture(scope="session")
def batch_handler(scan_handler: Handler) -> Handler:
    """The same function on its other route."""
    return replace(scan_handler, path="/v1/scan/batch")


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """The objects of a store with two published models."""
    return published_objects(tmp_path_factory.mktemp("published"))


@pytest.fixture
def served(published: Mapping[str, bytes], tmp_path: Path) -> Served:
    """The model routes over a copy of it, to be broken at will."""
    return serve(published, tmp_path / "cache")


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """The address of an S3 on loopback, one for the session."""
    with moto_server() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def _warm_ssm(moto_endpoint: str) -> None:
    """Has moto load its SSM, which takes it seconds, before a test waits for it."""
    config = Config(read_timeout=120, signature_version=UNSIGNED)
    with suppress(ClientError):
        boto3.session.Session().client("ssm", "eu-west-1", endpoint_url=moto_endpoint, config=config).get_parameter(
            Name="x"
        )


@pytest.fixture
def ssm_endpoint(s3_endpoint: str, _warm_ssm: None) -> str:
    """The address of an SSM on loopback."""
    return s3_endpoint


@pytest.fixture
def s3_endpoint(moto_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The same, with credentials that are nobody's and no file of the machine's own."""
    values = {
        "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return moto_endpoint


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    """A region for SAM's transform, which asks for one."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def aws(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAws]:
    """Lambda and CodeDeploy here, CloudWatch in moto, and credentials that are nobody's."""
    with fake_aws() as server:
        endpoints = server.environment | {"AWS_ENDPOINT_URL_CLOUDWATCH": s3_endpoint}
        for name, value in endpoints.items():
            monkeypatch.setenv(name, value)
        yield server
