"""Makes message classes of PyPI's protobuf from a schema that is written as text, without .proto files.

schema = {"Point": ("1 value double", "2 timestamp int64"), "Series": ("4 points repeated Point",)}
message_classes("datadog.metrics", schema)["Series"].FromString(body)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# The fields of each message as "number name type"; a type is a scalar, a message, `repeated T` or `map V`
# (keys: string).
Schema = Mapping[str, tuple[str, ...]]

_Field = descriptor_pb2.FieldDescriptorProto


def message_classes(package: str, schema: Schema) -> dict[str, Any]:
    """Returns the class of each message of the schema, by its name."""
    file = descriptor_pb2.FileDescriptorProto(name="schema.proto", package=package, syntax="proto3")
    for name, fields in schema.items():
        message = file.message_type.add(name=name)
        for declaration in fields:
            _add_field(message, declaration, package, schema)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    classes = message_factory.GetMessageClassesForFiles(["schema.proto"], pool)
    return {name: classes[f"{package}.{name}"] for name in schema}


def _set_type(field: Any, name: str, package: str, schema: Schema) -> None:
    if name in schema:
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{package}.{name}"
    else:
        field.type = getattr(_Field, f"TYPE_{name.upper()}")


def _add_field(message: Any, declaration: str, package: str, schema: Schema) -> None:
    number, name, *words = declaration.split()
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if words[0] == "map":
        entry = message.nested_type.add(name=f"{name[0].upper()}{name[1:].replace('_s', 'S')}Entry")
        entry.options.map_entry = True
        for index, (part, kind) in enumerate((("key", "string"), ("value", words[1])), 1):
            _set_type(
                entry.field.add(name=part, number=index, label=_Field.LABEL_OPTIONAL), kind, package, schema
            )
        field.label = _Field.LABEL_REPEATED
        field.type = _Field.TYPE_MESSAGE
        field.type_name = f".{package}.{message.name}.{entry.name}"
        return
    if words[0] == "repeated":
        field.label = _Field.LABEL_REPEATED
    _set_type(field, words[-1], package, schema)
