"""The errors of the local runs.

EmulatorError              base; ``logs`` holds what the emulator and the function wrote
├── EmulatorUnavailable    this machine has no emulator
├── FunctionFailed         the runtime did not start, or the handler raised
└── FunctionTimedOut       no answer in time
"""


class EmulatorError(Exception):
    """The emulator could not be started, or the function did not answer; ``logs`` holds what both wrote."""

    def __init__(self, message: str, *, logs: str = "") -> None:
        """Keeps the logs apart, and shows their end in the message."""
        super().__init__(f"{message}\n{logs[-4000:]}" if logs else message)
        self.logs = logs


class EmulatorUnavailable(EmulatorError):
    """This machine has no emulator binary: not Linux, or aws-sam-cli is not installed."""


class FunctionFailed(EmulatorError):
    """The runtime did not start, or the handler raised; ``error_type`` is Lambda's name for it."""

    def __init__(self, message: str, *, error_type: str, logs: str) -> None:
        """Keeps Lambda's own name of the error, such as ``Runtime.ImportModuleError``."""
        super().__init__(f"{error_type}: {message}", logs=logs)
        self.error_type = error_type


class FunctionTimedOut(EmulatorError):
    """The function did not answer in time."""
