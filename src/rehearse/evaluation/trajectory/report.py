"""The report of the choosing ablation: ``trajectory.md``, ``trajectory.json``, the curve and the sheets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from rehearse.evaluation.kit.choice import spoken
from rehearse.evaluation.kit.curve import Line, draw_curve
from rehearse.evaluation.kit.examples import Example, spread, write_examples
from rehearse.evaluation.kit.intervals import LEVEL, Interval, interval, resamples
from rehearse.evaluation.kit.measure import boxes_of
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.trajectory.ablation import BASE, Findings
from rehearse.evaluation.trajectory.arms import Point, point
from rehearse.evaluation.trajectory.paths import FAMILIES
from rehearse.evaluation.trajectory.table import METRICS, TITLES, Table
from rehearse.shot import steps_of

_MAIN = ("miou", "kid", "motion", "ap50", "coverage", "distance")
_REST = ("miou_covered", "volume_iou", "kid_change", "excess", "change", "text")
_COMPARED = ("miou", "kid", "motion")
_SIDES = ("base", "mask", "best")
_LEGEND = (
    "mIoU: per frame, all frames, a missed frame 0. mIoU (covered): over the frames found, tracks covered "
    "in more than half of their frames. Volume IoU: Peekaboo's space-time volumes, covered tracks; AP50: "
    "share of all tracks whose volume IoU is at least .5. Centre distance and motion (mean way of the "
    "subject's centre from frame to frame) in frame diagonals; less what the path asks for: above 0 is "
    "jitter, below it motion is lost. Right subjects: clips in which every subject, of the right kind and "
    "colour, is found in more than half of the frames. FID depends on the number of clips: compare it "
    "within a table only."
)


def write_trajectory_report(
    found: Findings, store: Store, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write everything into ``out``; the files. about: facts for the JSON (fingerprints, reference)."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = _write_sheets(found, store, out)
    write_json(out / "trajectory.json", _numbers(found, command, about))
    write_text(out / "trajectory.md", _page(found, command, about, sheets))
    written = [out / "trajectory.md", out / "trajectory.json"]
    if _swept(found):
        written.append(out / "trajectory-curve.svg")
        write_text(written[-1], _curve(found))
    return [*written, *sheets.values()]


def _swept(found: Findings) -> list[Point]:
    """What ran at other numbers of frozen steps than the choice was made at."""
    first = found.protocol.frozen[0]
    return [at for at in found.tables if at.frozen not in (None, first)]


def _numbers(found: Findings, command: str, about: dict[str, Any]) -> dict[str, Any]:
    protocol = found.protocol
    points = []
    for at, table in found.tables.items():
        entry: dict[str, Any] = {
            "label": at.label,
            "arm": at.arm.name,
            "frozen": at.frozen,
            "settings": at.arm.settings(at.frozen).model_dump(mode="json", exclude_none=True),
            "cases": len(table.cases),
            "metrics": {m.key: as_json(found.comparer.value(table, m.key)) for m in METRICS},
            "fid": table.fid,
            "against": {},
        }
        for name, other in _opponents(found, at):
            entry["against"][name] = {
                key: as_json(found.comparer.difference(table, other, key)) for key in _COMPARED
            }
        points.append(entry)
    return {
        "command": command,
        "model": protocol.model,
        "cases": protocol.cases,
        "seed": protocol.seed,
        "steps": protocol.steps,
        "scheduler": protocol.scheduler,
        "wording": protocol.wording,
        "level": LEVEL,
        "replicates": protocol.replicates,
        **about,
        "points": points,
        "families": _families(found),
        "choice": {
            "normalization": found.normalization.arm.name if found.normalization.arm else None,
            "normalization_why": found.normalization.why,
            "prior": found.prior.arm.name if found.prior.arm else None,
            "prior_why": found.prior.why,
            "combined": found.combined.name,
            "best": found.best.label,
        },
        "aims": [{"aim": aim.text, "holds": aim.holds, "evidence": aim.evidence} for aim in found.aims],
    }


def _opponents(found: Findings, at: Point) -> list[tuple[str, Table]]:
    """What a point is compared with: the base, and masks alone at its frozen steps."""
    first = found.protocol.frozen[0]
    others = [("base", point(BASE, first)), ("mask", point(found.mask, at.frozen or first))]
    return [(name, found.tables[other]) for name, other in others if other != at and other in found.tables]


def _families(found: Findings) -> dict[str, dict[str, Any]]:
    """mIoU by path family of the base, masks alone and the best combination, two-subject cases apart."""
    shown = {"base": point(BASE, found.protocol.frozen[0]), "best": found.best}
    shown["mask"] = point(found.mask, found.best.frozen or found.protocol.frozen[0])
    result: dict[str, dict[str, Any]] = {}
    names = [case.family if len(case.subjects) == 1 else "two subjects" for case in found.cases]
    count = min(len(found.tables[at].cases) for at in shown.values())
    for name in [*FAMILIES, "two subjects"]:
        here = {}
        for label, at in shown.items():
            table = found.tables[at].first(count)
            chosen = np.array([names[k] == name for k in range(count)])
            if chosen.any():
                values = table.case_iou[chosen]
                draws = resamples(len(values), found.protocol.replicates, found.protocol.seed)
                here[label] = as_json(interval(draws @ values / draws.sum(axis=1))) | {"cases": len(values)}
        if here:
            result[name] = here
    return result


def _page(found: Findings, command: str, about: dict[str, Any], sheets: dict[str, Path]) -> str:
    protocol = found.protocol
    first = protocol.frozen[0]
    choosing = [at for at in found.tables if at.frozen in (None, first)]
    held = [f"- {'holds' if aim.holds else '**MISSED**'}: {aim.text}: {aim.evidence}" for aim in found.aims]
    missed = sum(not aim.holds for aim in found.aims)
    verdict = "All aims hold." if not missed else f"{missed} of {len(found.aims)} aims are missed."
    parts = [
        "# Trajectory control: the choosing ablation",
        f"`{command}`",
        _setup(found, about),
        f"## Aims\n{verdict} Best combination: `{found.best.label}` ({_chosen_among(found)}).\n\n"
        + "\n".join(held),
        "## Choice\n" + _choice(found),
        f"## All arms at {_frozen(first)}{_of_steps(found, about)}\n"
        + _metric_table(found, choosing, _MAIN, fid=True),
        _metric_table(found, choosing, _REST),
        "Differences against the uncontrolled model and against masks alone:\n\n"
        + _difference_table(found, choosing),
        _LEGEND,
    ]
    if swept := _swept(found):
        ordered = sorted(
            (at for at in found.tables if at.arm in {s.arm for s in swept}),
            key=lambda at: (at.arm.name, _order(at.frozen)),
        )
        parts.append(
            "## Frozen steps\n![control against quality](trajectory-curve.svg)\n\n"
            + _metric_table(found, ordered, _MAIN, fid=True, count=_common(found))
        )
    families = _families(found)
    rows = [
        [name, str(entry["best"]["cases"])]
        + [spoken(Interval(entry[k]["value"], entry[k]["low"], entry[k]["high"])) for k in _SIDES]
        for name, entry in families.items()
        if set(_SIDES) <= set(entry)
    ]
    head = ["path", "cases", "base", "masks alone", found.best.label]
    parts.append("## mIoU by kind of path\n" + markdown_table(head, rows))
    if sheets:
        listed = "\n".join(f"- [{label}]({path.name})" for label, path in sheets.items())
        parts.append(
            "## Examples\nThe two best, middling and worst cases of each arm by mIoU, eight evenly spaced "
            f"frames each; orange is asked, white is what the judge found.\n\n{listed}"
        )
    return "\n\n".join(parts) + "\n"


def _chosen_among(found: Findings) -> str:
    """On how many cases the best point rests, and whether the same cases chose its number of frozen steps."""
    count = len(found.tables[found.best].cases)
    rivals = [at for at in found.tables if at.arm == found.combined and len(found.tables[at].cases) == count]
    if len(rivals) > 1:
        return f"its number of frozen steps was chosen on these same cases; {count} of them"
    return f"{count} cases; its number of frozen steps was set beforehand"


def _setup(found: Findings, about: dict[str, Any]) -> str:
    protocol = found.protocol
    two = sum(len(case.subjects) > 1 for case in found.cases)
    captions = "still captions" if protocol.wording == "bare" else "captions that say 'stands still'"
    return (
        f"{protocol.cases} cases an arm ({two} with two subjects), case seed {protocol.seed}, the same noise "
        f"in every arm; model `{protocol.model}`, {_sampling(found, about)}. "
        f"Brackets: {LEVEL:.0%} bootstrap intervals over cases ({protocol.replicates} draws), differences "
        f"paired.\n\nPrompts are {captions}: they name no motion, so the path alone says it. Paths are held "
        "out: the world never moves a puppet so.\n\nFID and KID are of frames (four a clip) against frames "
        f"of {about.get('reference', 'the')} held-out clips of the world, in the judge's features: not "
        "comparable with Inception's. KID of change is of clips (mean features and their mean change from "
        "frame to frame) against as many rendered clips that follow paths such as these; it rewards moving "
        "as asked, so it decides nothing."
    )


def _sampling(found: Findings, about: dict[str, Any]) -> str:
    """How the clips were sampled; the model's own defaults are named where they are known."""
    own = about.get("model_defaults", {})
    steps, scheduler = (
        found.protocol.steps or own.get("steps"),
        found.protocol.scheduler or own.get("scheduler"),
    )
    said = f"{steps} steps" if steps else "the model's own number of steps"
    return f"{said} of {scheduler}" if scheduler else said


def _of_steps(found: Findings, about: dict[str, Any]) -> str:
    """What the first number of frozen steps is in whole steps, where that is known."""
    steps = found.protocol.steps or about.get("model_defaults", {}).get("steps")
    first = found.protocol.frozen[0]
    return f" ({steps_of(first, steps)} of {steps})" if steps and isinstance(first, float) else ""


def _choice(found: Findings) -> str:
    """What the rule chose and why, and how the prior stands against FreeTraj's starting noise alone."""
    lines = [
        f"- Mask normalization: {found.normalization.why}.",
        f"- Temporal intrinsic denoising: {found.prior.why}.",
        f"- Combination: `{found.combined.name}`.",
    ]
    first = found.protocol.frozen[0]
    noise = {at.arm: at for at in found.tables if at.arm.groups == {"mask", "noise"} and at.frozen == first}
    for arm, at in noise.items():
        prior = found.prior.arm or found.mask
        gain = found.comparer.difference(found.tables[point(prior, first)], found.tables[at], "miou")
        what = "each step" if found.prior.arm else "masks alone"
        lines.append(
            f"- `{prior.name}` ({what}) against `{arm.name}` (starting noise alone): mIoU "
            f"{spoken(gain, sign=True)}."
        )
    return "\n".join(lines)


def _metric_table(
    found: Findings, points: list[Point], keys: tuple[str, ...], fid: bool = False, count: int | None = None
) -> str:
    """Metrics of some points, over their first ``count`` cases (None: all)."""
    head = ["arm", "cases", *(TITLES[key].title for key in keys), *(["FID"] if fid else [])]
    rows = []
    for at in points:
        table = found.tables[at].first(count or len(found.cases))
        cells = []
        for key in keys:
            metric = TITLES[key]
            cells.append(spoken(found.comparer.value(table, key), metric.scale, metric.digits))
        rows.append([at.label, str(len(table.cases)), *cells, *([f"{table.fid:.1f}"] if fid else [])])
    return markdown_table(head, rows)


def _difference_table(found: Findings, points: list[Point]) -> str:
    head = ["arm"] + [f"{TITLES[key].title} - {name}" for name in ("base", "mask") for key in _COMPARED]
    rows = []
    for at in points:
        others = dict(_opponents(found, at))
        cells = []
        for name in ("base", "mask"):
            for key in _COMPARED:
                metric = TITLES[key]
                other = others.get(name)
                if other is None:
                    cells.append("")
                    continue
                number = found.comparer.difference(found.tables[at], other, key)
                cells.append(spoken(number, metric.scale, metric.digits, sign=True))
        if any(cells):
            rows.append([at.label, *cells])
    return markdown_table(head, rows)


def _common(found: Findings) -> int:
    """How many cases all points have: what they can be compared on."""
    return min(len(table.cases) for table in found.tables.values())


def _curve(found: Findings) -> str:
    lines = []
    count = _common(found)
    for arm in dict.fromkeys(at.arm for at in found.tables):
        own = sorted((at for at in found.tables if at.arm == arm), key=lambda at: _order(at.frozen))
        spots = []
        for at in own:
            table = found.tables[at].first(count)
            kid = found.comparer.value(table, "kid").value
            miou = found.comparer.value(table, "miou").value
            spots.append(("" if at.frozen is None else _frozen(at.frozen, short=True), 100 * kid, miou))
        lines.append(Line(arm.name, tuple(spots)))
    return draw_curve(
        lines,
        f"KID x100 over {count} cases (less is better)",
        "mIoU (more is better), by share of frozen steps",
    )


def _write_sheets(found: Findings, store: Store, out: Path) -> dict[str, Path]:
    """One sheet for each arm at the choosing number of frozen steps, and for the best point."""
    first = found.protocol.frozen[0]
    sheets: dict[str, Path] = {}
    for at in dict.fromkeys([*(p for p in found.tables if p.frozen in (None, first)), found.best]):
        table = found.tables[at]
        examples = []
        for position in spread(table.case_iou):
            key, case = table.keys[position], found.cases[position]
            boxes = boxes_of(store.journal[key])
            label = f"IoU {table.case_iou[position]:.2f}, {case.family}: {case.prompt}"
            examples.append(Example(store.picture(key), label, case.asked(boxes.shape[1]), boxes))
        name = re.sub(r"[^a-z0-9]+", "-", at.label.lower()).strip("-")
        path = out / f"trajectory-{name}.jpg"
        write_examples(path, examples)
        sheets[at.label] = path
    return sheets


def _frozen(frozen: float | int, short: bool = False) -> str:
    if isinstance(frozen, int):
        return f"{frozen}" if short else f"{frozen} frozen steps"
    return f"{100 * frozen:g}%" if short else f"{100 * frozen:g} % of the steps frozen"


def _order(frozen: float | int | None) -> float:
    """Counts after fractions, each in order."""
    return -1.0 if frozen is None else float(frozen) + (1.0 if isinstance(frozen, int) else 0.0)
