"""What the tests of the library share: the tiny model on disk, and an engine that has it."""

from dataclasses import replace
from pathlib import Path

import pytest

from raxe.bootstrap import Engine, build_engine
from raxe.rules import RuleSet, load_rule_set
from tests.factories import ModelsFolder, write_models
from tests.handlers import Handler, load_handler


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
