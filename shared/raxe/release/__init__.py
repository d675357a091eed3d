"""A release on its way into traffic: what CodeDeploy's hooks check."""

from raxe.release.hooks import Outcome, run_hook
from raxe.release.traffic import post_traffic, pre_traffic

__all__ = ["Outcome", "post_traffic", "pre_traffic", "run_hook"]
