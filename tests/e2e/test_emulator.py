"""The emulator harness itself: what goes wrong in a function becomes a typed error with the logs."""

import os
from pathlib import Path

import pytest

from functions.local.emulator import EmulatorOptions, LambdaEmulator
from functions.local.errors import EmulatorError, FunctionFailed, FunctionTimedOut

pytestmark = pytest.mark.usefixtures("_needs_emulator")

COUNTING = """
import os
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("called", calls)
    return {"calls": calls, "home": os.environ.get("HOME"), "memory": context.memory_limit_in_mb, "said": event["said"]}
"""


def function(folder: Path, code: str) -> Path:
    """Returns a task root with the given ``app.py``."""
    (folder / "app.py").write_text(code, encoding="utf-8")
    return folder


def test_process_is_kept_between_invocations(tmp_path: Path) -> None:
    """Module state lives on, the environment is Lambda's and not the caller's, and durations are read."""
    with LambdaEmulator(function(tmp_path, COUNTING), EmulatorOptions(memory_mb=512)) as emulator:
        answers = [emulator.invoke({"said": said}) for said in ("a", "\u00e4\U0001f600")]
    assert [answer["calls"] for answer in answers] == [1, 2]
    assert answers[1]["said"] == "\u00e4\U0001f600"
    assert answers[0]["home"] is None
    assert answers[0]["memory"] == "512"
    assert emulator.init_ms is not None
    assert emulator.init_ms > 0
    assert len(emulator.invoke_ms) == 2
    assert "called 2" in emulator.function_logs


@pytest.mark.parametrize(
    ("code", "error_type"),
    [
        ("import a_module_that_is_not_there", "Runtime.ImportModuleError"),
        ("def another(event, context): ...", "Runtime.HandlerNotFound"),
        ("import os\ndef handler(event, context): os._exit(3)", "Runtime.ExitError"),
        ("def handler(event, context): raise KeyError('k')", "KeyError"),
    ],
    ids=["import", "handler", "exit", "raise"],
)
def test_failure_is_named(code: str, error_type: str, tmp_path: Path) -> None:
    """A function that cannot start, exits or raises gives Lambda's name of the error, and the logs."""
    with LambdaEmulator(function(tmp_path, code)) as emulator, pytest.raises(FunctionFailed) as caught:
        emulator.invoke({})
    assert caught.value.error_type == error_type
    assert "INIT START" in caught.value.logs


def test_slow_function_times_out(tmp_path: Path) -> None:
    """The function's own timeout ends an invocation, as in Lambda."""
    code = "import time\ndef handler(event, context): time.sleep(30)"
    options = EmulatorOptions(timeout_s=1)
    with LambdaEmulator(function(tmp_path, code), options) as emulator, pytest.raises(FunctionTimedOut):
        emulator.invoke({})


def test_nothing_runs_on_afterwards(tmp_path: Path) -> None:
    """The function's process ends with the context, even when it ignores SIGTERM."""
    code = "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code += "def handler(event, context): return {'pid': os.getpid()}"
    with LambdaEmulator(function(tmp_path, code)) as emulator:
        pid = emulator.invoke({})["pid"]
        os.kill(pid, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_invocation_outside_the_context_is_refused(tmp_path: Path) -> None:
    """A stopped emulator says so."""
    with pytest.raises(EmulatorError, match="not running"):
        LambdaEmulator(tmp_path).invoke({})
