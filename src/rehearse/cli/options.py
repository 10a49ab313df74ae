"""Options that several commands share: a dataclass stands for them in each signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """A command as typer reads it: in place of each parameter that is a dataclass, the dataclass's fields.

    A field carries its option's annotation and default, as a parameter would.
    """
    hints = get_type_hints(command, include_extras=True)
    shared: dict[str, Any] = {name: kind for name, kind in hints.items() if is_dataclass(kind)}
    own = signature(command)
    shown: list[Parameter] = []
    for parameter in own.parameters.values():
        kind = shared.get(parameter.name)
        if kind is None:
            shown.append(parameter.replace(annotation=hints[parameter.name]))
            continue
        words = get_type_hints(kind, include_extras=True)
        for field in fields(kind):
            default = Parameter.empty if field.default is MISSING else field.default
            shown.append(Parameter(field.name, parameter.kind, default=default, annotation=words[field.name]))

    @wraps(command)
    def run(**said: Any) -> None:
        for name, kind in shared.items():
            said[name] = kind(**{field.name: said.pop(field.name) for field in fields(kind)})
        command(**said)

    # By name: parameters without a default may follow a dataclass whose fields have one.
    by_name = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in shown]
    run.__signature__ = own.replace(parameters=by_name)  # type: ignore[attr-defined]
    return run
