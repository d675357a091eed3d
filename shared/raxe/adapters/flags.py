"""The rollout document for programs that use Powertools' ``FeatureFlags``: one more reader of the same document."""

import json
from typing import Any

from aws_lambda_powertools.utilities.feature_flags import StoreProvider
from aws_lambda_powertools.utilities.feature_flags.exceptions import ConfigurationStoreError

from raxe.errors import RaxeError
from raxe.protocols import RolloutStore
from raxe.rollout import parse_rollout


class RolloutFlags(StoreProvider):
    """``FeatureFlags(RolloutFlags(store))``. Each evaluation reads the store; on an error the last good document stays.

    The context has ``bucket`` and ``shadow_bucket``: see ``raxe.rollout.bucket_of``.
    """

    def __init__(self, store: RolloutStore) -> None:
        """Takes the store; nothing is read yet."""
        self._store = store
        self._last: dict[str, Any] | None = None

    @property
    def get_raw_configuration(self) -> dict[str, Any]:
        """The features; raises ConfigurationStoreError when there was never a good document."""
        try:
            content = self._store.read().content
            parse_rollout(content)
        except RaxeError as error:
            if self._last is None:
                raise ConfigurationStoreError(f"{type(error).__name__}: {error}") from None
            return self._last
        self._last = json.loads(content)
        return dict(self._last or {})

    def get_configuration(self) -> dict[str, Any]:
        """The same: there is no envelope."""
        return self.get_raw_configuration
