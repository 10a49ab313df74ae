"""The report of the image-to-video evaluation: ``animate.md``, ``animate.json`` and a sheet an arm."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rehearse.evaluation.animate.arms import AnimateArm
from rehearse.evaluation.animate.cases import MOTIONS_EACH
from rehearse.evaluation.animate.study import BASE, METRICS, TITLES, AnimateFindings, asked_way
from rehearse.evaluation.kit.choice import spoken
from rehearse.evaluation.kit.examples import Example, write_examples
from rehearse.evaluation.kit.intervals import LEVEL, Interval
from rehearse.evaluation.kit.measure import boxes_of
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.evaluation.kit.store import Store

_MAIN = ("image", "text", "speed", "flicker", "kept", "right", "happens")
_COMPARED = ("image", "text", "speed", "flicker")
_SHOWN = 4
_LEGEND = (
    "Alignments are cosines times 100 in the judge's own space: comparable with each other, not with CLIP's. "
    "Image: mean over the frames, with the rendered picture of what the arm wishes for. Text: of the clip, "
    "with the caption of that wish. Dynamic degree: mean way of the puppet's centre from frame to frame, in "
    "frame diagonals. Flicker: half the mean absolute second difference of the backdrop's pixels. First "
    "frame kept: the puppet, of the wished kind and colour, is found there within .05 of its place. "
    "Motion as prompted: directions by the puppet's way, growing and shrinking by the side of its box (a "
    "factor of 1.15), bouncing by its turning round."
)
_PUBLISHED = (
    "Published, for orientation only (InteractiveVideo on AnimateBench, CLIP scores on the paper's scale, "
    "image / text): VideoComposer 225.3 / 62.85, AnimateDiff 218.0 / 63.31, PIA 225.9 / 63.68, "
    "InteractiveVideo 234.6 / 65.31. Other pictures, other embeddings: no number here can be held against "
    "them. A frozen clip has the highest image score there is: read dynamic degree beside it."
)


def write_animate_report(
    found: AnimateFindings, store: Store, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write everything into ``out``; the files. about: facts for the JSON (fingerprints)."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = [_write_sheet(found, store, arm, out) for arm in found.columns]
    write_json(out / "animate.json", _numbers(found, command, about))
    write_text(out / "animate.md", _page(found, command, sheets))
    return [out / "animate.md", out / "animate.json", *sheets]


def _numbers(found: AnimateFindings, command: str, about: dict[str, Any]) -> dict[str, Any]:
    protocol = found.protocol
    arms = []
    for arm in found.columns:
        against = {} if arm == BASE else {m.key: as_json(found.difference(arm, m.key)) for m in METRICS}
        arms.append(
            {
                "arm": arm.name,
                "wish": arm.wish,
                "metrics": {m.key: as_json(found.value(arm, m.key)) for m in METRICS},
                "against_base": against,
            }
        )
    return {
        "command": command,
        "model": protocol.model,
        "cases": protocol.cases,
        "seed": protocol.seed,
        "steps": protocol.steps,
        "level": LEVEL,
        "replicates": protocol.replicates,
        **about,
        "arms": arms,
        "by_motion": _by_motion(found),
        "aims": [{"aim": aim.text, "holds": aim.holds, "evidence": aim.evidence} for aim in found.aims],
    }


def _by_motion(found: AnimateFindings) -> dict[str, dict[str, float]]:
    """Share of the uninstructed clips in which each motion happens as prompted."""
    happens = found.columns[BASE]["happens"]
    motions = np.array([case.motion for case in found.cases])
    return {
        str(motion): {
            "share": float(happens[motions == motion].mean()),
            "cases": int((motions == motion).sum()),
        }
        for motion in np.unique(motions)
    }


def _page(found: AnimateFindings, command: str, sheets: Sequence[Path]) -> str:
    protocol = found.protocol
    aims = found.aims
    missed = sum(not aim.holds for aim in aims)
    verdict = "All aims hold." if not missed else f"{missed} of {len(aims)} aims are missed."
    held = "\n".join(
        f"- {'holds' if aim.holds else '**MISSED**'}: {aim.text}: {aim.evidence}" for aim in aims
    )
    pictures = -(-protocol.cases // MOTIONS_EACH)
    parts = [
        "# Image-to-video: what instructions do",
        f"`{command}`",
        f"{protocol.cases} cases an arm: {pictures} held-out pictures, {MOTIONS_EACH} motion prompts each; "
        f"case seed {protocol.seed}, the same noise in every arm; model `{protocol.model}`, "
        f"{protocol.steps or 'the default number of'} steps. Brackets: {LEVEL:.0%} bootstrap intervals over "
        f"cases ({protocol.replicates} draws), differences paired.",
        "## Aims\n" + (f"{verdict}\n\n{held}" if aims else "The arms that ran tell about none of them."),
        "## All arms\n" + _table(found, list(found.columns), _MAIN),
        "Against the uninstructed clips, both held against what the arm wishes for:\n\n"
        + _differences(found),
        _LEGEND,
        *_sections(found),
    ]
    motions = _by_motion(found)
    cells = [f"{entry['share']:.2f} of {entry['cases']}" for entry in motions.values()]
    parts.append("## Motion as prompted, uninstructed clips\n" + markdown_table([*motions], [cells]))
    parts.append(_PUBLISHED)
    links = "\n".join(f"- [{path.stem}]({path.name})" for path in sheets)
    parts.append(
        f"## Examples\nThe {_SHOWN} clips of each arm that lie evenly over its text alignments, best first; "
        "in white what the judge found, in orange where a trajectory leads."
    )
    parts.append(links)
    return "\n\n".join(parts) + "\n"


def _sections(found: AnimateFindings) -> list[str]:
    """The tables that only some arms have numbers for."""
    arms = list(found.columns)
    guided = [arm for arm in arms if arm.arrives]
    sized = [arm for arm in arms if "magnitude" in arm or "loop" in arm or "align" in arm]
    sections = []
    if guided:
        note = (
            "Place error: distance of the puppet's centre in the last frame from where it was sent, in "
            "fractions of the frame, where it is found. Within .05: share of all clips; one that is not "
            "found is not there."
        )
        table = _table(found, guided, ("place", "within", "iou"))
        drift = _table(found, guided, ("place", "within", "iou"), beside=True)
        sections.append(
            f"## Trajectory\n{note}\n\n{table}\n\nWhere the uninstructed clips end up:\n\n{drift}"
        )
    edited = [arm for arm in arms if arm.edited and "fork" not in arm and "blend" not in arm]
    if edited:
        sections.append(
            "## Regional edits\nThe largest change of any pixel outside of the region's soft edge, in the "
            "picture that the clip starts from, averaged over cases; the aim looks at the largest of all.\n\n"
            + _table(found, edited, ("outside", "image", "image_original"))
        )
    if sized:
        note = (
            "Last to first: the distance of the last frame from the first over that of neighbours. Moderate "
            "magnitude and no frame alignment are what the base has."
        )
        keys = ("speed", "change", "flicker", "closing", "closes")
        sections.append(
            f"## Magnitude, loops, frame alignment\n{note}\n\n" + _table(found, [BASE, *sized], keys)
        )
    for part, title, note in (
        (
            "blend",
            "## Equation 4",
            "0 follows the edit, as the arm without a blend does; 1 keeps what was before it.",
        ),
        ("fork", "## Forks", "How far an edit still reaches that begins after a part of the steps."),
    ):
        chosen = [arm for arm in arms if part in arm]
        if chosen:
            keys = ("image", "text", "image_original", "right", "speed")
            sections.append(f"{title}\n{note}\n\n" + _table(found, chosen, keys))
    return sections


def _table(
    found: AnimateFindings, arms: Sequence[AnimateArm], keys: Sequence[str], beside: bool = False
) -> str:
    rows = []
    for arm in arms:
        cells = []
        for key in keys:
            number = found.base_value(arm, key) if beside else found.value(arm, key)
            cells.append(_cell(number, key))
        rows.append([f"base, for {arm.name}" if beside else arm.name, *cells])
    return markdown_table(["arm", *(TITLES[key].title for key in keys)], rows)


def _differences(found: AnimateFindings) -> str:
    rows = [
        [arm.name, arm.wish, *(_cell(found.difference(arm, key), key, sign=True) for key in _COMPARED)]
        for arm in found.columns
        if arm != BASE
    ]
    return markdown_table(["arm", "wish", *(TITLES[key].title for key in _COMPARED)], rows)


def _cell(number: Interval, key: str, sign: bool = False) -> str:
    metric = TITLES[key]
    return "" if np.isnan(number.value) else spoken(number, metric.scale, metric.digits, sign)


def _write_sheet(found: AnimateFindings, store: Store, arm: AnimateArm, out: Path) -> Path:
    order = np.argsort(-found.columns[arm]["text"], kind="stable")
    picked = order[np.linspace(0, len(order) - 1, min(_SHOWN, len(order))).round().astype(int)]
    examples = []
    for at in picked:
        key, case = found.keys[arm][at], found.cases[at]
        text = f"text {found.columns[arm]['text'][at]:.0f}: {case.caption(arm.wish)}"
        boxes = boxes_of(store.journal[key])
        asked = asked_way(case, boxes.shape[1])[None] if arm.arrives else None
        examples.append(Example(store.picture(key), text, asked, boxes))
    path = out / f"animate-{re.sub(r'[^a-z0-9.]+', '-', arm.name)}.jpg"
    write_examples(path, examples)
    return path
