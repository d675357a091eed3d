"""The one place that imports onnxruntime: an ONNX graph that can be run, with errors of our own."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

# Read once, when the library is loaded: must stand before the import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from raxe.errors import DetectorFailed, ModelLoadFailed

Array = NDArray[np.float32] | NDArray[np.int64]
# What onnxruntime says of a graph that is newer than it: both versions are numbers, so the words can be passed on.
_TOO_NEW = (
    re.compile(
        r"Opset (?P<found>\d+) is under development.* for domain (?P<what>ai\.onnx\S*) is till opset (?P<most>\d+)"
    ),
    re.compile(r"Unsupported model (?P<what>IR version): (?P<found>\d+), max supported IR version: (?P<most>\d+)"),
)
_LOG_FATAL = 4  # onnxruntime's own log goes to stderr and may quote a graph; errors reach us as exceptions

_built = 0  # sessions made in this process


def sessions_built() -> int:
    """Sessions made in this process so far; shows that warm invocations re-use what the cold start made."""
    return _built


def available_providers(wanted: tuple[str, ...]) -> list[str]:
    """The execution providers to use: of those wanted, without a wish CUDA then CPU, the ones that this build has.

    Raises:
        ModelLoadFailed: it has none of them; the runtime would quietly take the CPU.
    """
    there = ort.get_available_providers()
    found = [name for name in wanted or ("CUDAExecutionProvider", "CPUExecutionProvider") if name in there]
    if not found:
        raise ModelLoadFailed(f"onnxruntime has no {', '.join(wanted)}")
    return found


class Session:
    """A loaded graph. Calling it is thread-safe; the threads it works with are its own."""

    def __init__(self, graph: Path | bytes, *, threads: int, providers: tuple[str, ...] = (), name: str = "") -> None:
        """Loads the graph with ``threads`` intra-op threads; ``name`` is what errors call it, else that of its file.

        Raises:
            ModelLoadFailed: the runtime refuses the graph or a provider; the message says by how much a graph is too
                new, of any other cause it names the class only.
        """
        global _built  # noqa: PLW0603
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = _LOG_FATAL
        # Threads wait actively within a call and not between calls: asleep, two threads are hardly faster than one (4.2
        # against 2.8 ms for 64 tokens, one run); awake for ever, they would take the CPU from the rest of the function.
        options.add_session_config_entry("session.intra_op.allow_spinning", "1" if threads > 1 else "0")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        source, chosen = graph if isinstance(graph, bytes) else str(graph), available_providers(providers)
        try:
            self._session = ort.InferenceSession(source, options, providers=chosen)
        except Exception as error:
            called = name or (graph.name if isinstance(graph, Path) else "the graph")
            raise ModelLoadFailed(f"onnxruntime {ort.__version__} refuses {called}: {_reason(error)}") from error
        self.inputs = tuple(node.name for node in self._session.get_inputs())
        self.outputs = tuple(node.name for node in self._session.get_outputs())
        _built += 1

    def run(self, feeds: Mapping[str, Array]) -> dict[str, NDArray[np.float32]]:
        """The graph's outputs by name; inputs the graph does not have are left out. Raises DetectorFailed."""
        try:
            values = self._session.run(None, {name: feeds[name] for name in self.inputs})
        except Exception as error:
            raise DetectorFailed(f"onnxruntime failed: {type(error).__name__}") from error
        return dict(zip(self.outputs, values, strict=True))


def _reason(error: Exception) -> str:
    """Why a graph is refused; what else the runtime says may quote the graph."""
    for pattern in _TOO_NEW:
        if found := pattern.search(str(error)):
            what = "IR version" if found["what"] == "IR version" else "opset"
            return f"{what} {found['found']} is too new, it knows {what} {found['most']} at most"
    return type(error).__name__
