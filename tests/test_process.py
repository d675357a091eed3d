"""What a fresh process of the scan function loads, opens and leaves behind."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.local.events import ROOT
from tests.factories import ZORKMID, ModelsFolder

# Runs the scan function's handler once and prints what the process then is.
SCAN = """
import json, sys, threading
sys.path[:0] = [{root!r} + "/shared", {root!r} + "/functions/scan", {root!r}]
before = set(threading.enumerate())
{first}
import app
from functions.local.gateway import LocalContext
from functions.local.events import load_event
event = load_event("scan")
event["body"] = json.dumps({{"text": "a {word}"}})
answer = app.handler(event, LocalContext("scan"))
names = [open(f"/proc/self/task/{{task}}/comm").read().strip() for task in __import__("os").listdir("/proc/self/task")]
print(json.dumps({{
    "verdict": json.loads(answer["body"])["verdict"], "modules": sorted(sys.modules), "threads": names,
    "python_threads": [thread.name for thread in set(threading.enumerate()) - before], "seen": globals().get("seen"),
}}))
"""
NO_NETWORK = """
import socket
def refuse(*_, **__):
    raise AssertionError("the network was used")
socket.socket.connect = socket.socket.connect_ex = socket.socket.bind = refuse
socket.create_connection = socket.getaddrinfo = refuse
class Refused(socket.socket):
    __init__ = refuse
socket.socket = Refused
"""
# Notes the variable at the moment when onnxruntime is looked for.
NOTE_TELEMETRY = """
import importlib.abc, os
seen = []
class Note(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            seen.append(os.environ.get("ORT_DISABLE_TELEMETRY"))
        return None
sys.meta_path.insert(0, Note())
"""
# Seconds of imports, and needed by nothing that serves a scan.
UNWANTED = {
    "boto3", "botocore", "torch", "transformers", "sklearn", "requests", "urllib3", "httpx", "aws_xray_sdk",
    "typer", "rich", "huggingface_hub", "sympy", "uvicorn", "pandas", "scipy",
}  # fmt: skip


def run(models: ModelsFolder, home: Path, first: str = "") -> Mapping[str, Any]:
    """What a fresh process says after one scan; its home and temporary folders are below ``home``."""
    home.mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    own = {name: str(home) for name in ("HOME", "TMPDIR", "TMP", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    environment = {**kept, **own, "RAXE_MODELS_DIR": str(models.root), "PYTHONDONTWRITEBYTECODE": "1"}
    code = SCAN.format(root=str(ROOT), first=first, word=ZORKMID)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert found["verdict"] == "block"
    return found


def test_a_scan_loads_only_what_it_needs(models: ModelsFolder, tmp_path: Path) -> None:
    """No AWS client, no training framework, no HTTP client and no terminal library is imported."""
    modules = set(run(models, tmp_path / "home")["modules"])
    modules.discard("botocore")  # the empty package alone, which Powertools imports to name itself in user agents
    assert [name for name in sorted(modules) if name.partition(".")[0] in UNWANTED] == []
    assert {"onnxruntime", "numpy", "tokenizers", "re2", "pydantic"} <= modules


def test_importing_the_library_loads_nothing_heavy() -> None:
    """``import raxe`` alone brings neither NumPy nor a model runtime nor an AWS client."""
    heavy = ("numpy", "onnxruntime", "pydantic", "re2", "boto3")
    code = f"import raxe, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "shared")
    assert done.stdout.strip() == "[]"


def test_a_registry_over_a_folder_loads_no_aws_client() -> None:
    """Only a bucket brings boto3; packages that only a validation needs stay out too."""
    unwanted = ("boto3", "raxe.adapters.s3", "packaging.specifiers")
    code = f"import raxe, sys; raxe.ModelRegistry(); print([name for name in {unwanted} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "shared")
    assert done.stdout.strip() == "[]"


def test_the_registry_function_loads_no_model_runtime(models: ModelsFolder, tmp_path: Path) -> None:
    """Listing models brings neither onnxruntime nor NumPy, rules or tokenizers, and over a folder no AWS client."""
    heavy = ("onnxruntime", "numpy", "re2", "tokenizers", "boto3")
    code = f"""
import sys
sys.path[:0] = [{str(ROOT)!r} + "/shared", {str(ROOT)!r} + "/functions/registry", {str(ROOT)!r}]
import app
from functions.local.gateway import LocalContext
from functions.local.events import load_event
assert app.handler(load_event("models_status"), LocalContext("registry"))["statusCode"] == 200
print([name for name in {heavy} if name in sys.modules])
"""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "RAXE_MODELS_DIR": str(models.root)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_scan_opens_no_socket(models: ModelsFolder, tmp_path: Path) -> None:
    """With sockets that refuse to be made, loading and scanning work as ever."""
    run(models, tmp_path / "home", NO_NETWORK)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the threads of the process from /proc")
def test_onnxruntime_sends_no_telemetry(models: ModelsFolder, tmp_path: Path) -> None:
    """Its switch is off before the import, it leaves no file in home or temporary folder, no thread of its own runs.

    The variable CI, which would hide the telemetry, is not set in that process.
    """
    found = run(models, tmp_path / "home", NOTE_TELEMETRY)
    assert found["seen"][:1] == ["1"]
    assert list((tmp_path / "home").rglob("*")) == []
    assert found["python_threads"] == []
    assert [name for name in found["threads"] if "elemetry" in name or name.startswith(("mat", "1ds", "curl"))] == []
