"""What the roles of the stack may do, and who may send to its topics and use its key."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stack import EFS, JWT, Stack, render

pytestmark = pytest.mark.usefixtures("region")

# Lambda makes the interfaces of a function in a VPC; these EC2 actions take no narrower resource.
VPC_ACTIONS = {
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
}
# What ends in a wildcard, and why, stands beside it in the template.
WILDCARDS = {
    "lambda:InvokeFunction": "${ScanFunction.Arn}:*",
    "cloudwatch:DescribeAlarms": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*",
    "codedeploy:PutLifecycleEventHookExecutionStatus": (
        "arn:${AWS::Partition}:codedeploy:${AWS::Region}:${AWS::AccountId}:deploymentgroup:"
        "${ServerlessDeploymentApplication}/*"
    ),
}
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}


def statements(stack: Stack) -> Iterator[dict[str, Any]]:
    """Yields every statement that allows something, of roles and of managed policies."""
    policies = list(stack.of_type("AWS::IAM::ManagedPolicy").values())
    policies += [policy for role in stack.of_type("AWS::IAM::Role").values() for policy in role.get("Policies", [])]
    for policy in policies:
        yield from policy["PolicyDocument"]["Statement"]


def actions(statement: dict[str, Any]) -> set[str]:
    """Returns the actions of a statement as a set."""
    found = statement["Action"]
    return {found} if isinstance(found, str) else set(found)


def resources(statement: dict[str, Any]) -> list[Any]:
    """Returns the resources of a statement as a list."""
    found = statement["Resource"]
    return found if isinstance(found, list) else [found]


def of_role(stack: Stack, name: str) -> dict[str, list[Any]]:
    """Returns the resources of each action of a role, log groups left out."""
    policies = stack.of_type("AWS::IAM::Role")[name]["Policies"]
    found = [each for policy in policies for each in policy["PolicyDocument"]["Statement"]]
    return {action: resources(each) for each in found for action in actions(each) - LOGS}


@pytest.mark.parametrize("parameters", [{}, JWT, EFS], ids=["default", "jwt", "efs"])
def test_roles_have_the_least_that_works(parameters: dict[str, str]) -> None:
    """No wildcard action, no wildcard resource but the documented ones, no policy of AWS's own, one service a role."""
    stack = render(**parameters)
    for statement in statements(stack):
        assert not any("*" in action for action in actions(statement))
        for resource in resources(statement):
            if resource == "*":
                assert actions(statement) <= VPC_ACTIONS
            elif "*" in json.dumps(resource):
                (action,) = actions(statement)
                assert resource == {"Fn::Sub": WILDCARDS[action]}
    for role in stack.of_type("AWS::IAM::Role").values():
        assert all(each == {"Ref": "MountModelsPolicy"} for each in role.get("ManagedPolicyArns", []))
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] in ({"Service": "lambda.amazonaws.com"}, {"Service": "codedeploy.amazonaws.com"})


def test_each_function_writes_its_own_logs() -> None:
    """The role of every function may write to the function's log group, and to no other."""
    stack = render()
    for function in stack.of_type("AWS::Lambda::Function").values():
        role = stack.resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
        found = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
        groups = [each["Resource"]["Fn::GetAtt"] for each in found if actions(each) & LOGS]
        assert groups == [[function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]]


@pytest.mark.parametrize("role", ["ScanRole", "HealthRole"])
def test_api_functions_read_the_rollout_and_nothing_else(role: str) -> None:
    """Scan and health, without a file system, read one parameter; without a rollout document only logs are left."""
    (parameter,) = of_role(render(), role).pop("ssm:GetParameter")
    assert parameter["Fn::Sub"].endswith(":parameter${RolloutParameter}")
    assert of_role(render(), role).keys() == {"ssm:GetParameter"}
    assert not of_role(render(Rollout="none"), role)


def test_codedeploy_moves_the_scan_function_and_nothing_else() -> None:
    """It may change the alias of the scan function, call its two hooks and read alarms."""
    may = of_role(render(), "CodeDeployRole")
    alias = [{"Fn::GetAtt": ["ScanFunction", "Arn"]}, {"Fn::Sub": "${ScanFunction.Arn}:live"}]
    assert may.pop("lambda:UpdateAlias") == may.pop("lambda:GetAlias") == alias
    assert may.pop("lambda:GetProvisionedConcurrencyConfig") == alias
    assert [each["Fn::GetAtt"][0] for each in may.pop("lambda:InvokeFunction")] == [
        "PreTrafficFunction", "PostTrafficFunction",
    ]  # fmt: skip
    assert may.keys() == {"cloudwatch:DescribeAlarms"}


@pytest.mark.parametrize("role", ["PreTrafficRole", "PostTrafficRole"])
def test_hooks_report_to_their_own_deployments(role: str) -> None:
    """A hook may answer deployments of the one group there is, and call functions of this stack."""
    may = of_role(render(), role)
    (group,) = may.pop("codedeploy:PutLifecycleEventHookExecutionStatus")
    assert group == {"Fn::Sub": WILDCARDS["codedeploy:PutLifecycleEventHookExecutionStatus"]}
    assert render().of_type("AWS::CodeDeploy::DeploymentGroup").keys() == {"ScanFunctionDeploymentGroup"}
    assert all(
        each["Fn::Sub"].startswith(("${ScanFunction.", "${HealthFunction.")) for each in may["lambda:InvokeFunction"]
    )
    assert may.keys() <= {"lambda:InvokeFunction", "cloudwatch:DescribeAlarms", "ssm:GetParameter"}


def test_rollback_changes_one_parameter_and_tells_one_topic() -> None:
    """It may read and write the stage's rollout document, and publish where people listen."""
    may = of_role(render(Stage="prod"), "RollbackRole")
    document = may["ssm:PutParameter"]
    assert document[0]["Fn::Sub"].endswith(":parameter/raxe/prod/rollout")
    assert may.pop("ssm:GetParameter") == may.pop("ssm:GetParameterHistory") == may.pop("ssm:PutParameter") == document
    assert may.pop("sns:Publish") == [{"Ref": "NotificationTopic"}]
    assert may.pop("kms:Decrypt") == may.pop("kms:GenerateDataKey") == [{"Fn::GetAtt": ["TopicKey", "Arn"]}]
    assert not may


def test_topics_are_encrypted_with_a_key_that_alarms_may_use() -> None:
    """CloudWatch of this account alone may publish and use the key, which rotates."""
    stack = render()
    ((key_id, key),) = stack.of_type("AWS::KMS::Key").items()
    assert key["EnableKeyRotation"] is True
    assert all(each["KmsMasterKeyId"] == {"Ref": key_id} for each in stack.of_type("AWS::SNS::Topic").values())
    (policy,) = stack.of_type("AWS::SNS::TopicPolicy").values()
    assert {each["Ref"] for each in policy["Topics"]} == stack.of_type("AWS::SNS::Topic").keys()
    services = [each for each in key["KeyPolicy"]["Statement"] if "Service" in each["Principal"]]
    for statement in [*policy["PolicyDocument"]["Statement"], *services]:
        assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
