"""The table of experiments on a moto server, made with the properties that template.yaml gives it."""

import itertools

import boto3
from samcli.yamlhelper import yaml_parse

from functions.local.events import ROOT
from raxe.adapters.dynamodb import DynamoDBExperimentStore

_numbers = itertools.count()
_WANTED = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def new_table(endpoint: str) -> str:
    """The name of a table that nobody else uses."""
    name = f"raxe-test-{next(_numbers)}"
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    properties = template["Resources"]["ExperimentsTable"]["Properties"]
    client = boto3.session.Session().client("dynamodb", endpoint_url=endpoint)
    client.create_table(TableName=name, **{key: properties[key] for key in _WANTED})
    return name


def table_store(endpoint: str) -> DynamoDBExperimentStore:
    """A store over a new table; AWS_ENDPOINT_URL_DYNAMODB must lead to the server."""
    return DynamoDBExperimentStore(new_table(endpoint))
