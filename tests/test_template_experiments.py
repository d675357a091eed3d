"""What the stack promises of experiments: the table, who may do what with it, and that nothing counts unasked."""

import pytest

from tests.stack import Stack, render

TABLE = {"Fn::GetAtt": ["ExperimentsTable", "Arn"]}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def on_the_table(stack: Stack, role: str) -> list[tuple[object, object]]:
    """Returns the actions and resources of a role's statements on tables."""
    policies = stack.of_type("AWS::IAM::Role")[role]["Policies"]
    found = [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]
    return [(each["Action"], each["Resource"]) for each in found if "dynamodb:" in str(each["Action"])]


def test_the_table_forgets_and_can_be_restored() -> None:
    """On demand, encrypted, with a time to live, recoverable, and kept when the stack goes."""
    stack = render()
    (table,) = stack.of_type("AWS::DynamoDB::Table").values()
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_s", "Enabled": True}
    assert stack.resources["ExperimentsTable"]["DeletionPolicy"] == "Retain"


def test_nothing_is_counted_unless_an_experiment_is_named() -> None:
    """Without the parameter the scan function has neither the variable nor a right on the table."""
    stack = render()
    variables = stack.of_type("AWS::Lambda::Function")["ScanFunction"]["Environment"]["Variables"]
    assert not {"RAXE_EXPERIMENTS", "RAXE_EXPERIMENT"} & variables.keys()
    assert on_the_table(stack, "ScanRole") == []


def test_a_named_experiment_is_counted_by_a_role_that_cannot_read() -> None:
    """With it the scan function may add and write, and knows the name."""
    stack = render(Experiment="spring")
    variables = stack.of_type("AWS::Lambda::Function")["ScanFunction"]["Environment"]["Variables"]
    assert variables["RAXE_EXPERIMENTS"] == {"Fn::Sub": "dynamodb:${ExperimentsTable}"}
    assert variables["RAXE_EXPERIMENT"] == "spring"
    assert on_the_table(stack, "ScanRole") == [(["dynamodb:BatchWriteItem", "dynamodb:UpdateItem"], TABLE)]


def test_the_experiments_function_reads_and_labels_and_no_more() -> None:
    """Query on the table and its index, UpdateItem on the table."""
    index = {"Fn::Sub": "${ExperimentsTable.Arn}/index/by-text"}
    wanted = [("dynamodb:Query", [TABLE, index]), ("dynamodb:UpdateItem", TABLE)]
    assert on_the_table(render(), "ExperimentsRole") == wanted
