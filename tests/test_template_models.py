"""What the stack promises of the bucket of models and of who may touch it, asserted after SAM's transform."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.stack import Stack, render

S3 = {"ModelSource": "s3"}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/0123"
PUBLISHER = "arn:aws:iam::123456789012:role/release"
OBJECTS = {"Fn::Sub": "${ModelBucket.Arn}/models/*"}
JWT = {"AuthType": "JWT", "JwtIssuer": "https://issuer.example", "JwtAudience": "raxe", "AdminScope": "models.admin"}


@pytest.fixture(autouse=True)
def _region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def allowed(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a policy allows: action to resource; a condition may only narrow a list to the prefix."""
    found = {}
    for statement in document["Statement"]:
        actions = statement["Action"]
        for action in [actions] if isinstance(actions, str) else actions:
            found[action] = statement["Resource"]
        condition = {"StringLikeIfExists": {"s3:prefix": {"Fn::Sub": "models/*"}}}
        assert statement.get("Condition", condition) == condition
        assert ("Condition" in statement) == (actions == "s3:ListBucket")
    return found


def denied(stack: Stack) -> dict[str, Mapping[str, Any]]:
    """The statements of the bucket's policy by name."""
    (policy,) = stack.of_type("AWS::S3::BucketPolicy").values()
    assert all(each["Effect"] == "Deny" for each in policy["PolicyDocument"]["Statement"])
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_the_bucket_is_private_versioned_and_outlives_the_stack() -> None:
    """Nothing public, no ACLs, every version kept, and neither a deletion nor a replacement of the stack removes it."""
    resource = render().resources["ModelBucket"]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    bucket = resource["Properties"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("", {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}),
        (KEY, {"BucketKeyEnabled": True,
               "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}}),
    ],
)  # fmt: skip
def test_the_bucket_is_encrypted(key: str, rule: Mapping[str, Any]) -> None:
    """By S3, or with a key when one is given."""
    (bucket,) = render(ModelKmsKeyArn=key).of_type("AWS::S3::Bucket").values()
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"] == [rule]


def test_the_bucket_speaks_tls_only_and_published_files_stay() -> None:
    """Both are denied to everybody, whoever may do what."""
    statements = denied(render())
    tls, files = statements["OnlyOverTls"], statements["PublishedFilesStayAsTheyAre"]
    assert (tls["Principal"], tls["Action"]) == ("*", "s3:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert len(tls["Resource"]) == 2
    assert (files["Principal"], files["Action"]) == ("*", "s3:PutObject")
    assert files["Resource"] == {"Fn::Sub": "${ModelBucket.Arn}/models/objects/*"}
    assert files["Condition"]["Null"] == {"s3:if-none-match": "true"}


@pytest.mark.parametrize("key", ["", KEY])
def test_functions_may_only_read_the_models(key: str) -> None:
    """With ModelSource s3 every function has one policy: read below the prefix, list it, and decrypt with the key."""
    stack = render(**S3, ModelKmsKeyArn=key)
    for name in ("ScanRole", "HealthRole", "RegistryRole"):
        assert stack.of_type("AWS::IAM::Role")[name]["ManagedPolicyArns"] == [{"Ref": "ReadModelsPolicy"}]
    found = allowed(stack.of_type("AWS::IAM::ManagedPolicy")["ReadModelsPolicy"]["PolicyDocument"])
    decrypt = {"kms:Decrypt": KEY} if key else {}
    assert found == {"s3:GetObject": OBJECTS, "s3:ListBucket": {"Fn::GetAtt": ["ModelBucket", "Arn"]}} | decrypt


def test_nobody_reads_or_publishes_by_default() -> None:
    """Without ModelSource s3 no function reads the bucket, without a principal there is no publisher."""
    stack = render()
    assert not stack.of_type("AWS::IAM::ManagedPolicy")
    assert "PublisherRole" not in stack.of_type("AWS::IAM::Role")
    for role in stack.of_type("AWS::IAM::Role").values():
        assert "s3:" not in str(role)


@pytest.mark.parametrize("key", ["", KEY])
def test_the_publisher_writes_and_deletes_nothing(key: str) -> None:
    """Only the principal that is named may take the role, which reads, lists and writes below the prefix."""
    role = render(PublisherPrincipalArn=PUBLISHER, ModelKmsKeyArn=key).of_type("AWS::IAM::Role")["PublisherRole"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"AWS": PUBLISHER}, "sts:AssumeRole")
    (policy,) = role["Policies"]
    keys = {"kms:Decrypt": KEY, "kms:GenerateDataKey": KEY} if key else {}
    assert allowed(policy["PolicyDocument"]) == {
        "s3:GetObject": OBJECTS, "s3:PutObject": OBJECTS, "s3:ListBucket": {"Fn::GetAtt": ["ModelBucket", "Arn"]},
    } | keys  # fmt: skip


def test_functions_are_told_where_models_are() -> None:
    """The variables of each source agree with each other, and SnapStart stays on with s3."""
    stack = render(**S3)
    for function in (stack.of_type("AWS::Lambda::Function")[name] for name in stack.api_functions()):
        variables = function["Environment"]["Variables"]
        assert variables["MODEL_SOURCE"] == "s3"
        assert variables["RAXE_MODELS_URL"] == {"Fn::Sub": "s3://${ModelBucket}/models"}
        assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
        assert "VpcConfig" not in function
    for function in render().of_type("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["MODEL_SOURCE"] == "layer"
        assert "RAXE_MODELS_URL" not in function["Environment"]["Variables"]


def test_only_a_token_with_the_scope_may_reload() -> None:
    """With JWT the reload route asks for the scope, no other route does, and the function knows it too."""
    stack = render(**JWT)
    routes = stack.of_type("AWS::ApiGatewayV2::Route")
    scoped = {
        each["RouteKey"]: each["AuthorizationScopes"] for each in routes.values() if "AuthorizationScopes" in each
    }
    assert scoped == {"POST /v1/models/reload": ["models.admin"]}
    variables = stack.of_type("AWS::Lambda::Function")["RegistryFunction"]["Environment"]["Variables"]
    assert variables["RAXE_ADMIN_SCOPE"] == "models.admin"
    assert not any("AuthorizationScopes" in each for each in render().of_type("AWS::ApiGatewayV2::Route").values())


def test_reload_has_a_permission_of_its_own() -> None:
    """The permission for reading routes does not let the API call the one that changes something."""
    sources = [
        each["SourceArn"]["Fn::Sub"].partition("${HttpApi}")[2]
        for each in render().of_type("AWS::Lambda::Permission").values()
        if each["FunctionName"]["Ref"].startswith("RegistryFunction")
    ]
    assert sorted(sources) == ["/*/GET/v1/models*", "/*/POST/v1/models/reload"]
