"""What the emulator needs of the machine it runs on: its binary, and ports nobody uses."""

import importlib.util
import platform
import socket
import sys
from pathlib import Path

from functions.local.errors import EmulatorUnavailable

_BINARY_BY_MACHINE = {"x86_64": "aws-lambda-rie-x86_64", "aarch64": "aws-lambda-rie-arm64"}


def emulator_binary() -> Path:
    """Returns the Runtime Interface Emulator of this machine's architecture, from the aws-sam-cli wheel.

    Raises:
        EmulatorUnavailable: not Linux on x86_64 or arm64, or aws-sam-cli is not installed.
    """
    name = _BINARY_BY_MACHINE.get(platform.machine())
    if sys.platform != "linux" or name is None:
        raise EmulatorUnavailable("the Lambda emulator runs on Linux, x86_64 or arm64; `make serve` runs anywhere")
    spec = importlib.util.find_spec("samcli")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "local" / "rapid" / name
        if path.is_file():
            return path
    raise EmulatorUnavailable("aws-sam-cli is not installed; run `make setup`")


def free_ports(count: int) -> list[int]:
    """Returns different loopback ports that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
