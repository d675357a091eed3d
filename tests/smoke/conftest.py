"""The API that the smoke tests look at."""

import pytest

from tests.smoke.client import Api, from_environment


@pytest.fixture(scope="session")
def api() -> Api:
    """The API of RAXE_BASE_URL."""
    return from_environment()
