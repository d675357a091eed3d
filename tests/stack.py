"""template.yaml as CloudFormation would see it: SAM's transform in process, parameters and conditions resolved."""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from functions.local.events import ROOT

EFS = {
    "ModelSource": "efs",
    "EfsFileSystemId": "fs-0123456789abcdef0",
    "EfsAccessPointArn": "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-0123456789abcdef0",
    "SubnetIds": "subnet-0123456789abcdef0",
    "SecurityGroupIds": "sg-0123456789abcdef0",
}
JWT = {"AuthType": "JWT", "JwtIssuer": "https://issuer.example", "JwtAudience": "raxe"}
_DROPPED = object()


@dataclass(frozen=True, slots=True)
class Stack:
    """The resources that a deployment with given parameters makes."""

    resources: Mapping[str, Mapping[str, Any]]

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Returns the properties of each resource of a type, by logical id."""
        return {name: each.get("Properties", {}) for name, each in self.resources.items() if each["Type"] == kind}

    def api_functions(self) -> set[str]:
        """Returns the functions behind a route, by logical id."""
        integrations = self.of_type("AWS::ApiGatewayV2::Integration").values()
        return {each["IntegrationUri"]["Ref"].removesuffix("Aliaslive") for each in integrations}

    def needs(self) -> dict[str, set[str]]:
        """Returns what each resource names, which CloudFormation makes before it, by logical id."""
        return {name: set(_named(each)) & self.resources.keys() for name, each in self.resources.items()}


def render(
    content: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None, /, **parameters: str
) -> Stack:
    """Returns the stack for the given parameters; the others have their defaults.

    Args:
        content: stands for what ``sam package`` uploaded: a logical id to the name of its archive.
        variables: replace variables of all functions, as an edit of the template would.
        parameters: parameters of the template by name.
    """
    template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    template["Globals"]["Function"]["Environment"]["Variables"] |= variables or {}
    for name, resource in template["Resources"].items():
        key = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}.get(
            resource["Type"]
        )
        if key:
            resource["Properties"][key] = f"s3://bucket/{(content or {}).get(name, name)}"
    values = {name: str(each.get("Default", "")) for name, each in template["Parameters"].items()} | parameters
    conditions = template["Conditions"]
    translated = Translator({}, Parser()).translate(copy.deepcopy(template), values)

    def holds(name: str) -> bool:
        return _evaluate(conditions[name], values)

    kept = {
        name: resource
        for name, resource in translated["Resources"].items()
        if "Condition" not in resource or holds(resource["Condition"])
    }
    return Stack({name: _resolve(resource, values, holds) for name, resource in kept.items()})


def _evaluate(condition: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    ((operator, operands),) = condition.items()
    if operator == "Fn::Equals":
        left, right = (values[each["Ref"]] if isinstance(each, dict) else str(each) for each in operands)
        return left == right
    truths = [_evaluate(each, values) for each in operands]
    return {"Fn::Not": lambda: not truths[0], "Fn::Or": lambda: any(truths), "Fn::And": lambda: all(truths)}[operator]()


def _resolve(value: Any, values: Mapping[str, str], holds: Callable[[str], bool]) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        resolved = [_resolve(each, values, holds) for each in value]
        return [each for each in resolved if each is not _DROPPED]
    if not isinstance(value, dict):
        return value
    if value == {"Ref": "AWS::NoValue"}:
        return _DROPPED
    if value.keys() == {"Ref"} and value["Ref"] in values:
        return values[value["Ref"]]
    if value.keys() == {"Fn::If"}:
        condition, then, otherwise = value["Fn::If"]
        return _resolve(then if holds(condition) else otherwise, values, holds)
    entries = {key: _resolve(each, values, holds) for key, each in value.items()}
    return {
        key: _substitute(each, values) if key == "Fn::Sub" else each
        for key, each in entries.items()
        if each is not _DROPPED
    }


def _named(value: Any) -> Iterator[str]:  # noqa: ANN401  (any part of a template)
    """The logical ids, and other names, that a part of a template refers to."""
    if isinstance(value, list):
        for each in value:
            yield from _named(each)
    if not isinstance(value, dict):
        return
    for key, each in value.items():
        if key in {"Ref", "Fn::GetAtt", "DependsOn", "Fn::Sub"}:
            texts = [text for text in ([each] if isinstance(each, str) else each) if isinstance(text, str)]
            yield from re.findall(r"\$\{(\w+)", texts[0]) if key == "Fn::Sub" else texts
        yield from _named(each)


def _substitute(given: str | list[Any], values: Mapping[str, str]) -> str | list[Any]:
    """The text with the parameters in their places, and the variables that are plain; what else there is, is left."""
    text, variables = given if isinstance(given, list) else (given, {})
    known = {**values, **{name: each for name, each in variables.items() if isinstance(each, str)}}
    text = re.sub(r"\$\{(\w+)\}", lambda place: known.get(place[1], place[0]), text)
    left = {name: each for name, each in variables.items() if name not in known}
    return [text, left] if left else text
