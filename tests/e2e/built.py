"""Builds the stack with SAM and lays it out as Lambda does: layers merged into one /opt, the function beside it."""

import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from functions.local.emulator import EmulatorOptions
from functions.local.environment import local_environment
from functions.local.events import ROOT

LAYERS = ("RuntimeLayer", "CoreLayer", "ModelLayer")
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True)
class BuiltStack:
    """One `sam build`.

    Attributes:
        architecture: arm64 or x86_64.
        artifacts: SAM's build folder, one folder a function and a layer.
        opt: the three layers merged, as Lambda shows them under /opt.
    """

    architecture: str
    artifacts: Path
    opt: Path

    @property
    def runs_here(self) -> bool:
        """Whether the wheels in the runtime layer are of this machine's architecture."""
        return platform.machine() == _MACHINES[self.architecture]

    def size_bytes(self, *names: str) -> int:
        """Returns the unzipped bytes of the named artefacts together."""
        files = [path for name in names for path in (self.artifacts / name).rglob("*")]
        return sum(path.stat().st_size for path in files if path.is_file() and not path.is_symlink())


def build_stack(architecture: str, folder: Path) -> BuiltStack:
    """Returns the stack built for an architecture, without Docker.

    Raises:
        subprocess.CalledProcessError: `sam build` failed; what it wrote is in the test's output.
    """
    artifacts, opt = folder / "build", folder / "opt"
    command = [_beside_python("sam"), "build", "--parallel", "--build-dir", str(artifacts)]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    # This environment's pip builds the layers; byte code comes from a python3.13 where there is one.
    folders = [str(Path(sys.executable).parent), *([str(python.parent)] if (python := find_python313()) else [])]
    env = os.environ | {"SAM_CLI_TELEMETRY": "0", "PATH": os.pathsep.join([*folders, os.environ["PATH"]])}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr)
    done.check_returncode()
    for layer in LAYERS:
        # Links, not copies: a hundred megabytes; Lambda merges layers in the same order.
        shutil.copytree(artifacts / layer, opt, copy_function=os.link, dirs_exist_ok=True)
    return BuiltStack(architecture, artifacts, opt)


@cache
def find_python313() -> Path | None:
    """Returns a Python 3.13 that starts, or None: the one on PATH, or one that pyenv keeps."""
    candidates = [Path(found)] if (found := shutil.which("python3.13")) else []
    candidates += sorted((Path.home() / ".pyenv" / "versions").glob("3.13*/bin/python3.13"))
    for python in candidates:
        test = "import sys; sys.exit(sys.version_info[:2] != (3, 13))"
        if subprocess.run([python, "-c", test], capture_output=True, check=False).returncode == 0:
            return python
    return None


def lambda_python(folder: Path) -> Path:
    """Returns a Python 3.13 that has the Lambda runtime client and nothing else, made in ``folder``."""
    python313 = find_python313()
    assert python313 is not None
    subprocess.run([python313, "-m", "venv", "--without-pip", folder], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation", "cp", "--python-version", "3.13"]
    command += [
        "--platform",
        f"manylinux_2_17_{platform.machine()}",
        "--platform",
        f"manylinux2014_{platform.machine()}",
    ]
    command += ["--target", str(folder / "lib" / "python3.13" / "site-packages")]
    subprocess.run([*command, "-r", str(ROOT / "requirements" / "emulator.txt")], check=True)
    return folder / "bin" / "python3.13"


def built_options(stack: BuiltStack, python: Path) -> EmulatorOptions:
    """Returns options that run a function of the built stack: only its own layers, and the model from its layer."""
    env = local_environment() | {"RAXE_STAGE": "dev", "RAXE_MODELS_DIR": str(stack.opt / "models")}
    return EmulatorOptions(python=python, python_path=(stack.opt / "python",), env=env)


def _beside_python(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
