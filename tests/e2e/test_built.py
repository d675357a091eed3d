"""The functions as they would be deployed: `sam build`, layers as /opt, Python 3.13, every event of events/."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from functions.local.emulator import LambdaEmulator
from functions.local.events import load_event
from tests.e2e.built import LAYERS, BuiltStack, built_options, find_python313, lambda_python
from tests.e2e.cases import CASES, check

pytestmark = pytest.mark.slow

MB = 1_000_000
LIMIT_MB = 250  # Lambda's quota for a function and its layers, unzipped
BUDGET_MB = 170
_ORDINARY = {"scan": "scan", "health": "health_ready", "registry": "models_list", "experiments": "experiment"}
FUNCTIONS = {
    "scan": "ScanFunction",
    "health": "HealthFunction",
    "registry": "RegistryFunction",
    "experiments": "ExperimentsFunction",
}


@pytest.fixture(scope="module")
def emulators(
    built: BuiltStack, _needs_emulator: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, LambdaEmulator]]:
    """Returns a running emulator for each function of the built stack."""
    if not built.runs_here:
        pytest.skip(f"the {built.architecture} wheels do not run on this machine")
    if find_python313() is None:
        pytest.skip("the layer's wheels are for Python 3.13, and this machine has none")
    options = built_options(built, lambda_python(tmp_path_factory.mktemp("python313")))
    store = {"RAXE_EXPERIMENTS": str(tmp_path_factory.mktemp("experiments") / "experiments.sqlite")}
    counting = replace(options, env={**options.env, **store})
    own = {"experiments": counting}
    with ExitStack() as running:
        yield {
            name: running.enter_context(LambdaEmulator(built.artifacts / folder, own.get(name, options)))
            for name, folder in FUNCTIONS.items()
        }


def test_function_and_layers_fit(built: BuiltStack, capsys: pytest.CaptureFixture[str]) -> None:
    """A function with its layers stays under the project's budget, and so under Lambda's quota."""
    sizes = {name: built.size_bytes(name) / MB for name in (*LAYERS, *FUNCTIONS.values())}
    total = built.size_bytes(*LAYERS, FUNCTIONS["scan"]) / MB
    with capsys.disabled():
        parts = ", ".join(f"{name} {size:.1f}" for name, size in sizes.items())
        print(f"\n{built.architecture}: {total:.1f} MB unzipped (budget {BUDGET_MB}, quota {LIMIT_MB}): {parts}")
    assert total < BUDGET_MB


def test_layers_carry_the_right_architecture(built: BuiltStack) -> None:
    """Every compiled module is for the processor that the function asks for."""
    machine = {"x86_64": 0x3E, "arm64": 0xB7}[built.architecture]  # e_machine of an ELF header
    modules = [path for path in built.opt.rglob("*.so*") if path.is_file()]
    assert modules
    for path in modules:
        with path.open("rb") as file:
            header = file.read(20)
        assert int.from_bytes(header[18:20], "little") == machine, path.name


def test_built_functions_answer_every_event(emulators: dict[str, LambdaEmulator]) -> None:
    """The artefacts alone, without this checkout on any path, answer each event as documented."""
    for case in CASES:
        check(case, emulators[case.function].invoke(load_event(case.event)))


def test_built_functions_start(emulators: dict[str, LambdaEmulator], capsys: pytest.CaptureFixture[str]) -> None:
    """Init and warm times of the built functions are printed; a test asserts no milliseconds."""
    for name, emulator in emulators.items():
        emulator.invoke(load_event(_ORDINARY[name]))
        assert emulator.init_ms is not None
        with capsys.disabled():
            print(f"\n{name}: init {emulator.init_ms:.0f} ms, last invocation {emulator.invoke_ms[-1]:.1f} ms", end="")
    sys.stdout.flush()
