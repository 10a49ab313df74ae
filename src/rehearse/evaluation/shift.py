"""The diagnostic of mask normalization: how far masking moves each site's statistics, before and after it.

A few cases run with masks and one variant of normalization at a time; a ShiftProbe watches every masked site
in every frozen step. Distances are sum_c (mu - mu_u)^2 + (sigma - sigma_u)^2 against the unmasked output
(docs/methods.md, section 3.5), here averaged over cases and steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rehearse.controls import AttentionMask, Shift, ShiftProbe
from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.progress import Progress, Say
from rehearse.evaluation.kit.report import markdown_table, write_json, write_text
from rehearse.evaluation.trajectory.arms import parse_arm
from rehearse.evaluation.trajectory.cases import Wording, trajectory_cases
from rehearse.sampling.plan import Plan
from rehearse.shot import Shot

VARIANTS = {"mn-a": "mask+mn-a", "mn-b": "mask+mn-b"}


@dataclass(frozen=True)
class ShiftOptions:
    """cases: how many are run for each variant. frozen: masked steps; only these are run."""

    model: str = "theatre-video"
    cases: int = 4
    frozen: float | int = 0.67
    steps: int | None = None
    seed: int = 0
    wording: Wording = "bare"


@dataclass(frozen=True)
class SiteShift:
    """One site under one variant. before, after: mean distances; measurements: how many they average."""

    site: str
    kind: str
    before: float
    after: float
    measurements: int


def watched(plan: Plan, probe: ShiftProbe) -> tuple[Plan, int]:
    """The plan with the probe at its attention masks, and how many steps those are frozen.

    EvaluationError where the plan masks nothing."""
    frozen = [control.frozen_steps for control in plan.controls if isinstance(control, AttentionMask)]
    if not frozen:
        raise EvaluationError("the plan masks no attention; give more frozen steps or sites")
    controls = tuple(
        replace(control, probe=probe) if isinstance(control, AttentionMask) else control
        for control in plan.controls
    )
    return replace(plan, controls=controls), max(frozen)


def run_on_model(model: str) -> Callable[[Shot], list[Shift]]:
    """What runs a shot's frozen steps on a model, loaded once, and returns what the probe saw."""
    from rehearse.models import load_model
    from rehearse.planning import plan
    from rehearse.sampling.loop import Loop

    loaded = load_model(model)

    def run(shot: Shot) -> list[Shift]:
        probe = ShiftProbe()
        made, frozen = watched(plan(shot, loaded), probe)
        loop = Loop(loaded, made)
        for _ in loop.run(loop.start(), until=frozen):
            pass
        return probe.shifts

    return run


def measure_shift(
    options: ShiftOptions, run: Callable[[Shot], Sequence[Shift]], say: Say = print
) -> dict[str, list[SiteShift]]:
    """Sites of every variant, in the order in which the denoiser calls them."""
    cases = trajectory_cases(options.cases, options.seed, options.wording)
    progress = Progress(say, "runs", len(cases) * len(VARIANTS))
    result = {}
    for name, text in VARIANTS.items():
        shifts: list[Shift] = []
        for case in cases:
            settings = parse_arm(text).settings(options.frozen)
            shifts += run(case.shot(options.model, settings, options.steps))
            progress.tick()
        result[name] = average(shifts)
    return result


def average(shifts: Sequence[Shift]) -> list[SiteShift]:
    """Means by site."""
    sites: dict[str, list[Shift]] = {}
    for shift in shifts:
        sites.setdefault(shift.site, []).append(shift)
    return [
        SiteShift(
            site,
            own[0].kind,
            float(np.mean([shift.before for shift in own])),
            float(np.mean([shift.after for shift in own])),
            len(own),
        )
        for site, own in sites.items()
    ]


def write_shift_report(
    sites: dict[str, list[SiteShift]], options: ShiftOptions, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write ``shift.md`` and ``shift.json``; the files."""
    rows: list[list[str]] = []
    kinds: dict[str, dict[str, list[tuple[float, float]]]] = {}
    places = {site.site: site.kind for own in sites.values() for site in own}
    for place, kind in places.items():
        cells = [place, kind]
        for name, own in sites.items():
            found = next((site for site in own if site.site == place), None)
            if found is None:
                cells += ["", "", ""]
                continue
            cells += [f"{found.before:.4g}", f"{found.after:.4g}", _left(found.before, found.after)]
            kinds.setdefault(kind, {}).setdefault(name, []).append((found.before, found.after))
        rows.append(cells)
    columns = [text for name in sites for text in (f"{name} before", "after", "left")]
    summary = []
    for kind, by_name in kinds.items():
        cells = [kind]
        for name in sites:
            before, after = np.sum(by_name.get(name, [(0.0, 0.0)]), axis=0)
            cells += [f"{before:.4g}", f"{after:.4g}", _left(before, after)]
        summary.append(cells)
    facts = {
        "command": command, "model": options.model, "cases": options.cases, "frozen": options.frozen,
        "steps": options.steps, "seed": options.seed, **about,
    }  # fmt: skip
    write_json(
        out / "shift.json",
        {**facts, "variants": {name: [vars_of(site) for site in own] for name, own in sites.items()}},
    )
    page = [
        "# How far masking moves attention statistics",
        f"`{command}`",
        f"{options.cases} cases, case seed {options.seed}, {_frozen(options.frozen)}. Distance to the "
        "unmasked output's statistics, sum over channels of squared differences of mean and of standard "
        "deviation, averaged over frames, steps and cases; before and after normalization, and what is "
        "left of it. `mn-a` is global, `mn-b` regional: the statistics compared are global ones for both, "
        "so that `mn-b`, which aligns each region on its own, need not reach 0.",
        "## Sums by kind of site\n" + markdown_table(["kind", *columns], summary),
        "## Every masked site\n" + markdown_table(["site", "kind", *columns], rows),
    ]
    write_text(out / "shift.md", "\n\n".join(page) + "\n")
    return [out / "shift.md", out / "shift.json"]


def vars_of(site: SiteShift) -> dict[str, Any]:
    """A site as JSON holds it; distances keep their digits, however small."""
    return {
        "site": site.site, "kind": site.kind, "before": f"{site.before:.6g}", "after": f"{site.after:.6g}",
        "measurements": site.measurements,
    }  # fmt: skip


def _left(before: float, after: float) -> str:
    return f"{after / before:.0%}" if before > 0 else ""


def _frozen(frozen: float | int) -> str:
    return f"{frozen} frozen steps" if isinstance(frozen, int) else f"{100 * frozen:g} % of the steps frozen"
