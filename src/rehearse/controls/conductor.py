"""The conductor: lets a list of controls act at a model's sites in one denoising step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from rehearse.controls.control import Control, Moment
from rehearse.sites import AttentionCall, Site


@dataclass(frozen=True, slots=True)
class Conductor:
    """The :class:`~rehearse.sites.Attend` of one step. At a site the first control that has an output gives
    it; the model's own attention runs where none has.

    controls: in order of precedence. moment: the step about to be taken.
    """

    controls: Sequence[Control]
    moment: Moment

    def wants(self, site: Site) -> bool:
        return any(control.wants(site, self.moment) for control in self.controls)

    def __call__(self, call: AttentionCall) -> Tensor | None:
        for control in self.controls:
            # A control is only asked where it asked to be, however many others want the site.
            if control.wants(call.site, self.moment):
                output = control.attend(call, self.moment)
                if output is not None:
                    return output
        return None
