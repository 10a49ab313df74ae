"""What a control method is to a shot: settings that may be left out, and what each is where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

from rehearse.shot.document import Document


@dataclass(frozen=True, slots=True)
class Method:
    """The settings of one control method in one run, none of them open.

    Its fields are those of its part of ``rehearse.shot.ControlSettings``, under the same names; what a
    field's default is, is the method's default. A control that is made of them alone has a function
    ``build`` in the file of the same name in :mod:`rehearse.controls`.
    """

    of_subjects: ClassVar[bool] = False
    """Whether it acts on subjects that paths name, and on nothing without them."""
    idle: ClassVar[Mapping[str, object]] = {}
    """The value of a setting that asks for nothing, where that is not None."""

    @classmethod
    def chosen(cls, said: Document, of_model: Mapping[str, Any]) -> Self:
        """What a shot says, else what the model's card says, else the default.

        said: the control settings. of_model: by name of the setting, such as ``{"frozen_steps": 4}``.
        """
        return cls.filled(cls(), said, of_model)

    @classmethod
    def filled(cls, defaults: Self, said: Document, of_model: Mapping[str, Any]) -> Self:
        """``defaults`` under what the shot and the model's card say, in this order of precedence."""
        known: dict[str, Any] = {}
        for field in fields(cls):
            for value in (getattr(said, field.name), of_model.get(field.name)):
                if value is not None:
                    known[field.name] = value
                    break
        return replace(defaults, **known)

    @classmethod
    def asked(cls, said: Document) -> list[str]:
        """The settings that a shot gives and that ask for something, by name."""
        names = (field.name for field in fields(cls))
        return [name for name in names if getattr(said, name) not in (None, cls.idle.get(name))]
