"""The routes of the stack, read from template.yaml, so `make serve` answers where API Gateway would, nowhere else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_PARAMETER = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the API and the function behind it.

    Attributes:
        method: HTTP method.
        path: path as in the template, with ``{name}`` for a parameter.
        code: folder of the function's ``app.py``, relative to the template.
    """

    method: str
    path: str
    code: Path

    @property
    def key(self) -> str:
        """API Gateway's name of the route, such as ``POST /v1/scan``."""
        return f"{self.method} {self.path}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Returns the path parameters when the request is for this route, else None."""
        pattern = _PARAMETER.sub(lambda found: f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})", self.path)
        found = re.fullmatch(pattern, path) if method == self.method else None
        return found.groupdict() if found else None


class _TemplateLoader(yaml.SafeLoader):
    """Reads ``!Ref X`` and the other intrinsic functions as the plain value behind the tag."""


def _plain(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:  # noqa: ANN401 - YAML has any value
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


_TemplateLoader.add_multi_constructor("!", _plain)


def load_routes(template: Path) -> list[Route]:
    """Returns the routes of a template, most specific first: fixed paths, then those with parameters."""
    resources = yaml.load(template.read_text(encoding="utf-8"), Loader=_TemplateLoader)["Resources"]  # noqa: S506
    found = [each for each in resources.values() if each["Type"] == "AWS::ApiGatewayV2::Route"]
    routes = [_route(each["Properties"], resources) for each in found]
    return sorted(routes, key=lambda route: (len(_PARAMETER.findall(route.path)), route.path))


def _route(properties: Mapping[str, str], resources: Mapping[str, Any]) -> Route:
    method, _, path = properties["RouteKey"].partition(" ")
    integration = resources[properties["Target"].removeprefix("integrations/${").removesuffix("}")]
    function = resources[integration["Properties"]["IntegrationUri"].removesuffix(".Alias")]
    return Route(method, path, Path(function["Properties"]["CodeUri"]))
