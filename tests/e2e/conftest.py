"""The emulator over the source tree, and the built stack; each is started or built once."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.environment import local_environment
from functions.local.errors import EmulatorUnavailable
from functions.local.events import ROOT
from functions.local.host import emulator_binary
from tests.e2e.built import BuiltStack, build_stack

Emulators = Callable[[str], LambdaEmulator]


@pytest.fixture(scope="session")
def _needs_emulator() -> None:
    try:
        emulator_binary()
    except EmulatorUnavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def emulate_source(_needs_emulator: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """Returns the running emulator of one function of the source tree, by its folder's name."""
    experiments = str(tmp_path_factory.mktemp("experiments") / "experiments.sqlite")
    plain = EmulatorOptions(python_path=(ROOT / "shared",), env=local_environment())
    # The scan function has no store here: what it counts in time would be in the answers of the other.
    counting = replace(plain, env={**plain.env, "RAXE_EXPERIMENTS": experiments})
    running: dict[str, LambdaEmulator] = {}
    with ExitStack() as stack:

        def emulator(name: str) -> LambdaEmulator:
            if name not in running:
                running[name] = stack.enter_context(
                    LambdaEmulator(ROOT / "functions" / name, counting if name == "experiments" else plain)
                )
            return running[name]

        yield emulator


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BuiltStack:
    """Returns the stack as `sam build` makes it, for each architecture, with its layers merged as Lambda does."""
    architecture: str = request.param
    return build_stack(architecture, tmp_path_factory.mktemp(f"built-{architecture}"))
