"""What the stack promises, asserted on the template after SAM's transform; nothing is deployed."""

from graphlib import TopologicalSorter

import pytest

from functions.local.events import ROOT
from functions.local.routes import load_routes
from raxe.rollout import Rollout, parse_rollout
from tests.stack import EFS, JWT, Stack, render

pytestmark = pytest.mark.usefixtures("region")


def test_functions_run_python_on_arm_by_default() -> None:
    """All functions are zip packages for python3.13 on arm64 with the default memory."""
    for function in render().of_type("AWS::Lambda::Function").values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]
        assert function["Handler"] == "app.handler"
        assert "ImageUri" not in function["Code"]
        assert "TracingConfig" not in function


def test_architecture_is_a_parameter() -> None:
    """x86_64 reaches the functions and the layer that holds wheels."""
    stack = render(Architecture="x86_64")
    assert all(each["Architectures"] == ["x86_64"] for each in stack.of_type("AWS::Lambda::Function").values())
    runtime = [each for name, each in stack.of_type("AWS::Lambda::LayerVersion").items() if name.startswith("Runtime")]
    assert [each["CompatibleArchitectures"] for each in runtime] == [["x86_64"]]


@pytest.mark.parametrize("parameters", [{}, EFS, {"ModelSource": "s3", "Experiment": "e"}], ids=["layer", "efs", "s3"])
def test_resources_can_be_made_one_after_the_other(parameters: dict[str, str]) -> None:
    """No resource needs itself through others: CloudFormation refuses such a template, and `sam validate` takes it."""
    stack = render(**parameters)
    made = list(TopologicalSorter(stack.needs()).static_order())
    assert made.index("ScanFunctionDeploymentGroup") > made.index("CodeDeployRole") > made.index("PreTrafficFunction")
    assert sorted(made) == sorted(stack.resources)


def test_telemetry_of_onnxruntime_is_off() -> None:
    """The variable is set for every function, before any import can look for it."""
    for function in render().of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["ORT_DISABLE_TELEMETRY"] == "1"


def test_every_function_of_the_api_is_published_behind_the_live_alias_with_snapstart() -> None:
    """Each has one alias `live`, and a snapshot for each published version; functions behind no route have neither."""
    stack = render()
    assert {each["Name"] for each in stack.of_type("AWS::Lambda::Alias").values()} == {"live"}
    published = {each["FunctionName"]["Ref"] for each in stack.of_type("AWS::Lambda::Alias").values()}
    assert published == stack.api_functions()
    for name, function in stack.of_type("AWS::Lambda::Function").items():
        assert function["SnapStart"] == {"ApplyOn": "PublishedVersions" if name in published else "None"}


@pytest.mark.parametrize("changed", ["RuntimeLayer", "CoreLayer", "ModelLayer"])
def test_a_changed_layer_publishes_a_new_version(changed: str) -> None:
    """A layer that changes alone makes a new version of every function, so that it is snapshot and can be canaried."""
    stack = render()
    before = stack.of_type("AWS::Lambda::Version")
    after = render({changed: "another-archive"}).of_type("AWS::Lambda::Version")
    assert len(before) == len(after) == len(stack.api_functions())
    assert not before.keys() & after.keys()


def versions(stack: Stack, function: str) -> set[str]:
    """Returns the published versions of a function by logical id."""
    found = stack.of_type("AWS::Lambda::Version")
    return {name for name, each in found.items() if each["FunctionName"] == {"Ref": function}}


@pytest.mark.parametrize(
    ("content", "variables"),
    [({"ScanFunction": "another-archive"}, {}), ({}, {"RAXE_ON_FAILURE": "block"}), ({}, {"RAXE_RELEASE": "2"})],
    ids=["code", "environment", "release"],
)
def test_what_changes_a_function_publishes_a_new_version(content: dict[str, str], variables: dict[str, str]) -> None:
    """Code and a variable each make a new version that can be canaried; the same again makes none."""
    before = versions(render(), "ScanFunction")
    assert len(before) == 1
    assert before == versions(render(), "ScanFunction")
    assert not before & versions(render(content, variables), "ScanFunction")


def test_a_changed_parameter_needs_another_release() -> None:
    """SAM does not look at the values of parameters, so `make deploy` writes a digest of them into RAXE_RELEASE.

    When this fails SAM has learned to look: then the variable and its step in functions/local/deploy.py can go.
    """
    assert versions(render(), "ScanFunction") == versions(render(ModelEnabled="false"), "ScanFunction")
    (function,) = [render().of_type("AWS::Lambda::Function")["ScanFunction"]]
    assert function["Environment"]["Variables"]["RAXE_RELEASE"] == "unreleased"
    assert "s/RAXE_RELEASE: unreleased/" in (ROOT / "functions" / "local" / "deploy.py").read_text(encoding="utf-8")


def test_layers_outlive_a_deployment() -> None:
    """An older version of a layer stays, so that a rollback finds it."""
    layers = [each for each in render().resources.values() if each["Type"] == "AWS::Lambda::LayerVersion"]
    assert len(layers) == 3
    assert {each["DeletionPolicy"] for each in layers} == {"Retain"}


def test_every_route_wants_iam_by_default() -> None:
    """No route is open, and there is no other authorizer."""
    stack = render()
    routes = stack.of_type("AWS::ApiGatewayV2::Route")
    assert {each["AuthorizationType"] for each in routes.values()} == {"AWS_IAM"}
    assert not any("AuthorizerId" in each for each in routes.values())
    assert not stack.of_type("AWS::ApiGatewayV2::Authorizer")


def test_every_route_wants_a_token_with_jwt() -> None:
    """With AuthType JWT each route names the authorizer, which has the issuer and the audience of the parameters."""
    stack = render(**JWT)
    for route in stack.of_type("AWS::ApiGatewayV2::Route").values():
        assert route["AuthorizationType"] == "JWT"
        assert route["AuthorizerId"] == {"Ref": "JwtAuthorizer"}
    (authorizer,) = stack.of_type("AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["JwtConfiguration"] == {"Issuer": "https://issuer.example", "Audience": "raxe"}


def test_api_is_throttled_and_speaks_payload_two() -> None:
    """The stage has a rate and a burst, and integrations call the alias with payload 2.0."""
    stack = render(ThrottleRateLimit="7", ThrottleBurstLimit="9")
    (stage,) = stack.of_type("AWS::ApiGatewayV2::Stage").values()
    settings = stage["DefaultRouteSettings"]
    assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == ("7", "9")
    for integration in stack.of_type("AWS::ApiGatewayV2::Integration").values():
        assert integration["PayloadFormatVersion"] == "2.0"
        assert integration["IntegrationUri"]["Ref"].endswith("Aliaslive")


def test_access_log_has_neither_bodies_nor_queries() -> None:
    """The access log names the request and its figures only."""
    (stage,) = render().of_type("AWS::ApiGatewayV2::Stage").values()
    log_format = stage["AccessLogSettings"]["Format"]
    assert "$context.requestId" in log_format
    assert "\n" not in log_format
    for forbidden in ("body", "querystring", "$request", "sourceIp", "path"):
        assert forbidden not in log_format


def test_api_may_call_only_the_aliases() -> None:
    """Only this API may call, only on the routes it has, and only the published alias."""
    permissions = render().of_type("AWS::Lambda::Permission").values()
    assert {each["Principal"] for each in permissions} == {"apigateway.amazonaws.com", "sns.amazonaws.com"}
    for permission in [each for each in permissions if each["Principal"] == "apigateway.amazonaws.com"]:
        assert permission["FunctionName"]["Ref"].endswith("Aliaslive")
        assert "${HttpApi}/*/" in permission["SourceArn"]["Fn::Sub"]


def test_the_rollout_document_is_a_parameter_that_is_safe_at_first() -> None:
    """It leaves everything to config.yaml; functions name it, and wait for it to be made; ``none`` leaves it out."""
    stack = render(Stage="prod")
    (parameter,) = stack.of_type("AWS::SSM::Parameter").values()
    assert parameter["Name"] == {"Fn::Sub": "/raxe/prod/rollout"}
    assert parse_rollout(parameter["Value"].encode()) == Rollout()
    for function in (stack.of_type("AWS::Lambda::Function")[name] for name in ("ScanFunction", "HealthFunction")):
        assert function["Environment"]["Variables"]["RAXE_ROLLOUT"] == {"Fn::Sub": "ssm:${RolloutParameter}"}
        assert function["Environment"]["Variables"]["ORT_DISABLE_TELEMETRY"] == "1"
    without = render(Rollout="none")
    assert not without.of_type("AWS::SSM::Parameter")
    functions = without.of_type("AWS::Lambda::Function")
    variables = [functions[name]["Environment"]["Variables"] for name in without.api_functions()]
    assert {each.get("RAXE_ROLLOUT", "") for each in variables} == {""}


def test_function_logs_go_to_the_stack_s_own_groups() -> None:
    """Each function names its group; none is left to be made by Lambda, for ever and unencrypted."""
    stack = render()
    groups = [each["LoggingConfig"]["LogGroup"]["Ref"] for each in stack.of_type("AWS::Lambda::Function").values()]
    assert len(set(groups)) == len(groups)
    assert set(groups) <= stack.of_type("AWS::Logs::LogGroup").keys()


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_logs_expire(stage: str) -> None:
    """Every log group has a retention, by stage."""
    for group in render(Stage=stage).of_type("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == {"Fn::FindInMap": ["Stages", stage, "LogRetentionDays"]}


def test_logs_are_encrypted_with_a_key_when_one_is_given() -> None:
    """LogKmsKeyArn reaches every group, and its absence leaves the property out."""
    key = "arn:aws:kms:eu-west-1:123456789012:key/0123"
    assert all(each["KmsKeyId"] == key for each in render(LogKmsKeyArn=key).of_type("AWS::Logs::LogGroup").values())
    assert not any("KmsKeyId" in each for each in render().of_type("AWS::Logs::LogGroup").values())


@pytest.mark.parametrize(("given", "reserved"), [("-1", None), ("0", None), ("25", "25")])
def test_concurrency_is_reserved_on_request(given: str, reserved: str | None) -> None:
    """0 and -1 reserve nothing; zero never switches the function off by accident."""
    function = render(ReservedConcurrency=given).of_type("AWS::Lambda::Function")["ScanFunction"]
    assert function.get("ReservedConcurrentExecutions") == reserved


def test_efs_replaces_the_models_folder() -> None:
    """With ModelSource efs what reads models mounts the file system in the VPC, and SnapStart, which cannot, is off.

    The others stay out of the VPC, from where they would not reach the services that they call.
    """
    stack = render(**EFS)
    functions = stack.of_type("AWS::Lambda::Function")
    serving = stack.api_functions() - {"ExperimentsFunction"}
    assert not any("VpcConfig" in functions[name] for name in functions.keys() - serving)
    for function in [functions[name] for name in serving]:
        (mount,) = function["FileSystemConfigs"]
        assert mount == {"Arn": EFS["EfsAccessPointArn"], "LocalMountPath": "/mnt/models"}
        assert function["Environment"]["Variables"]["RAXE_MODELS_DIR"] == "/mnt/models"
        assert function["SnapStart"] == {"ApplyOn": "None"}
        assert set(function["VpcConfig"]) == {"SubnetIds", "SecurityGroupIds"}


def test_layer_is_the_source_of_models_by_default() -> None:
    """Without a file system there is no VPC and nothing is mounted."""
    for function in render().of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["RAXE_MODELS_DIR"] == "/opt/models"
        assert not {"VpcConfig", "FileSystemConfigs"} & function.keys()


def test_local_routes_are_the_routes_of_the_stack() -> None:
    """`make serve` finds a function with an app.py behind every route of the API."""
    local = {route.key: route.code for route in load_routes(ROOT / "template.yaml")}
    assert local.keys() == {each["RouteKey"] for each in render().of_type("AWS::ApiGatewayV2::Route").values()}
    assert all((ROOT / code / "app.py").is_file() for code in local.values())
