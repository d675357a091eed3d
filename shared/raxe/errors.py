"""The error tree. Every error that leaves the library derives from RaxeError; no message ever carries scanned text.

RaxeError
├── InvalidInput            the caller's request is wrong; ``field`` names the place
│   ├── TextEmpty
│   └── TextTooLarge
├── InvalidSettings         an environment variable or option has a wrong value; stops the start
├── InvalidRules            a rule file does not hold what the schema asks
├── RolloutError            anything about the rollout document
│   ├── RolloutNotFound
│   └── InvalidRollout      it does not hold what its schema asks, or is too large for its store
├── ModelError              anything about a model on disk
│   ├── ModelNotFound
│   ├── InvalidMetadata
│   ├── InvalidBundle       the .raxe file is damaged, hostile or of another schema
│   ├── ModelLoadFailed     files are intact but the runtime refuses them
│   ├── ModelConflict       another model of that id is already published; ids are never used again
│   └── StoreError          the place of models or of the rollout document, or the cache folder, does not do its part
│       ├── StoreDenied       no permission, no credentials or no such bucket: trying again does not help
│       ├── StoreUnavailable  overload, timeout, slow or broken answer: trying again may help
│       ├── StoreConflict     the object is not what the writer thought it replaces
│       └── CacheFailed       the cache folder cannot be written, such as when the disk is full
├── ExperimentError         anything about an experiment
│   ├── ExperimentNotFound    nothing was counted under that name, or nothing is counted at all
│   ├── ScanNotFound          no scan that feedback could be for is remembered
│   └── ExperimentStoreFailed the store of the counts does not do what is asked
├── ReleaseError            anything about a deployment, its hooks or its alarms
│   ├── InvalidEvent          an event of CodeDeploy or CloudWatch does not have their shape
│   ├── ServiceFailed         an AWS service refused a call or did not answer
│   ├── FunctionRaised        a function that was called raised, ran out of time or ended
│   └── OutOfTime             the checks of a hook do not fit its time
└── DetectorFailed          a detector raised while scanning
"""


class RaxeError(Exception):
    """Any error the library raises on purpose."""


class InvalidInput(RaxeError):
    """The caller's request is wrong.

    Attributes:
        field: dotted path of the offending field, such as ``text`` or ``messages.3.content``.
    """

    def __init__(self, message: str, *, field: str) -> None:
        """Keeps the message and the path of the field."""
        super().__init__(message)
        self.field = field


class TextEmpty(InvalidInput):
    """The text has no visible character."""


class TextTooLarge(InvalidInput):
    """The text is longer than the stated limit; it is refused, never cut."""


class InvalidSettings(RaxeError):
    """An environment variable or option has a wrong value."""


class InvalidRules(RaxeError):
    """A rule file does not hold what the schema asks."""


class RolloutError(RaxeError):
    """Anything wrong with the rollout document."""


class RolloutNotFound(RolloutError):
    """There is no document, or none of that version."""


class InvalidRollout(RolloutError):
    """The document does not hold what its schema asks, or is too large for its store."""


class ModelError(RaxeError):
    """Anything wrong with a model on disk."""


class ModelNotFound(ModelError):
    """No model or model file of that name is there."""


class InvalidMetadata(ModelError):
    """A metadata file does not hold what schema v2.0 asks."""


class InvalidBundle(ModelError):
    """A .raxe file is damaged, hostile or of another schema."""


class ModelLoadFailed(ModelError):
    """The files are intact but the runtime refuses them."""


class ModelConflict(ModelError):
    """Another model of that id is already published."""


class StoreError(ModelError):
    """The place of models or of the rollout document does not do its part."""


class StoreDenied(StoreError):
    """No permission, no credentials or no such bucket."""


class StoreUnavailable(StoreError):
    """The store is overloaded, does not answer in time, or breaks off."""


class StoreConflict(StoreError):
    """The object is not what the writer thought it replaces; nothing was written."""


class CacheFailed(StoreError):
    """The cache folder cannot be written; nothing half-written is left."""


class ExperimentError(RaxeError):
    """Anything wrong with an experiment."""


class ExperimentNotFound(ExperimentError):
    """Nothing was counted under that name, or nothing is counted at all."""


class ScanNotFound(ExperimentError):
    """No scan that feedback could be for is remembered."""


class ExperimentStoreFailed(ExperimentError):
    """The store of the counts does not do what is asked."""


class DetectorFailed(RaxeError):
    """A detector raised while scanning; policy decides what follows."""


class ReleaseError(RaxeError):
    """Anything wrong with a deployment, its hooks or its alarms."""


class InvalidEvent(ReleaseError):
    """An event of CodeDeploy or CloudWatch does not have their shape; the message names the field."""


class ServiceFailed(ReleaseError):
    """An AWS service refused a call or did not answer."""


class FunctionRaised(ReleaseError):
    """A function that was called raised, ran out of time or ended."""


class OutOfTime(ReleaseError):
    """The checks of a hook do not fit its time."""
