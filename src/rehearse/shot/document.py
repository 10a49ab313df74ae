"""What every part of a shot is: a frozen pydantic model whose faults are ShotErrors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from rehearse.json_text import JsonFault, decode_text, once_each, parse_json
from rehearse.shot.errors import ShotError, explain, nearest


class Document(BaseModel):
    """Base of the typed documents. Immutable; unknown fields are refused with the nearest known name.

    Raises:
        ShotError: from the constructor and from `model_validate*`, in place of pydantic's ValidationError.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    noun: ClassVar[str] = "document"
    """What messages call this kind of document."""
    positional: ClassVar[tuple[str, ...]] = ()
    """Fields the constructor takes by position, in order."""

    def __init__(self, /, *values: Any, **fields: Any) -> None:
        names = self.positional[: len(values)]
        if len(values) > len(names):
            expected = f"{len(names)} ({', '.join(names)})" if names else "none"
            raise ShotError(
                f"of values without a name it takes {expected}, {len(values)} given; name the others",
                document=self.noun or "shot",
            )
        for name in names:
            if name in fields:
                raise ShotError("it is given twice, by position and by name", field=name, document=self.noun)
        try:
            super().__init__(**dict(zip(names, values, strict=True)), **fields)
        except ValidationError as error:
            raise explain(error, self.noun) from error

    # Tells pydantic that this constructor only forwards. Nested documents and JSON are then validated
    # directly, so that the location of a fault stays whole and no Python call is paid per part.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_fields(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in data:
                if name not in cls.model_fields:
                    raise ShotError(
                        f"there is no such field; {nearest(str(name), cls.model_fields)}", field=str(name)
                    )
        return data

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Build from a dict. Raises ShotError."""
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise explain(error, cls.noun) from error

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Build from JSON text. Raises ShotError."""
        try:
            if not isinstance(json_data, str):
                json_data = decode_text(bytes(json_data))
            text = json_data.removeprefix("\ufeff")
            # Of a name that is given twice pydantic takes the last in silence.
            parse_json(text, once_each)
            return super().model_validate_json(text, **options)
        except JsonFault as error:
            raise ShotError(f"this is not valid JSON: {error}", document=cls.noun) from error
        except ValidationError as error:
            raise explain(error, cls.noun) from error

    def given(self) -> dict[str, Any]:
        """The fields by name, as the values they hold."""
        return {name: getattr(self, name) for name in type(self).model_fields}

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise ShotError("it cannot be changed in place; make a changed copy instead", field=name)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if field.is_required() or value != field.default:
                yield (None if name in self.positional else name), value
