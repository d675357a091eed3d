"""A release on its way into traffic: what CodeDeploy's hooks check, and what an alarm turns back.

Import the parts: a rollback does not pay for the models that the hooks look at.
"""
