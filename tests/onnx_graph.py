"""ONNX graphs written by hand, byte by byte: the tests need models of a kilobyte and no ONNX package.

Only the fields of ``onnx.proto`` that these graphs use; the numbers are those of its messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_IR_VERSION, _OPSET = 8, 17
_FLOAT, _INT64 = 1, 7  # TensorProto.DataType
_ATTRIBUTE_INT, _ATTRIBUTE_INTS = 2, 7  # AttributeProto.AttributeType

Array = NDArray[np.float32] | NDArray[np.int64]
Shape = Sequence[int | str]


@dataclass(frozen=True, slots=True)
class Node:
    """One operation: ``outputs = op(inputs)`` with whole-number attributes."""

    op: str
    inputs: Sequence[str]
    output: str
    attributes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph: float32 or int64 tensors by name, a string in a shape is an axis of any length."""

    nodes: Sequence[Node]
    constants: Mapping[str, Array]
    inputs: Mapping[str, tuple[type, Shape]]
    outputs: Mapping[str, tuple[type, Shape]]
    opset: int = _OPSET
    ir_version: int = _IR_VERSION

    def to_bytes(self) -> bytes:
        """The bytes of a ModelProto."""
        graph = b"".join(_message(1, _node(node)) for node in self.nodes) + _text(2, "tiny")
        graph += b"".join(_message(5, _tensor(name, value)) for name, value in self.constants.items())
        graph += b"".join(_message(11, _value(name, *info)) for name, info in self.inputs.items())
        graph += b"".join(_message(12, _value(name, *info)) for name, info in self.outputs.items())
        return _number(1, self.ir_version) + _message(8, _number(2, self.opset)) + _message(7, graph)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _message(tag: int, content: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(content)) + content


def _text(tag: int, value: str) -> bytes:
    return _message(tag, value.encode())


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    return _text(1, name) + b"".join(_number(8, each) for each in value) + _number(20, _ATTRIBUTE_INTS)


def _node(node: Node) -> bytes:
    names = b"".join(_text(1, name) for name in node.inputs) + _text(2, node.output) + _text(4, node.op)
    return names + b"".join(_message(5, _attribute(name, value)) for name, value in node.attributes.items())


def _tensor(name: str, value: Array) -> bytes:
    kind = _INT64 if value.dtype == np.int64 else _FLOAT
    dims = b"".join(_number(1, size) for size in value.shape)
    return dims + _number(2, kind) + _text(8, name) + _message(9, value.tobytes())


def _value(name: str, kind: type, shape: Shape) -> bytes:
    dims = b"".join(_message(1, _text(2, axis) if isinstance(axis, str) else _number(1, axis)) for axis in shape)
    tensor = _number(1, _INT64 if kind is int else _FLOAT) + _message(2, dims)
    return _text(1, name) + _message(2, _message(1, tensor))
