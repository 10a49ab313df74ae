"""The report of the target evaluation: ``target.md``, ``target.json`` and sheets of examples."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rehearse.evaluation.kit.choice import spoken
from rehearse.evaluation.kit.curve import Line, draw_curve
from rehearse.evaluation.kit.examples import ASKED
from rehearse.evaluation.kit.intervals import LEVEL, Interval
from rehearse.evaluation.kit.measure import shown_frames
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.target.arms import BASE, FULL, TargetArm
from rehearse.evaluation.target.cases import TRAINING_SEED, TargetCase
from rehearse.evaluation.target.findings import METRICS, READINGS, TargetFindings
from rehearse.evaluation.target.verdicts import (
    CONTACT_PUBLISHED,
    MARGIN,
    aims,
    findings,
    published,
    sooner,
)
from rehearse.media.files import replacing
from rehearse.media.sheet import Row, contact_sheet
from rehearse.theatre.recipes import TARGET
from rehearse.theatre.world.target_scene import FRAMES

_SHOWN, _SWAPS_SHOWN = 6, 3
_CURVE = "target-curve.svg"
_INK = (20, 18, 16)
_COMPARED = ("right", "visible", "flicker")
_TITLES = {
    "right": "right target",
    "clean": "right and no other",
    "wrong": "wrong target",
    "strayed": "any other touched",
    "any": "any contact",
    "visible": "actor visible",
    "flicker": "flicker x100",
}
_LEGEND = (
    "Right target: the marked prop is the first one that the actor lies on; wrong target: another is. Right "
    "and no other: and it is the only one in the whole clip. Any other touched: at any time, also after the "
    "right one. Chance: any contact over the number of props. "
    "Read from the pixels: the actor is the largest connected piece of its own paper colour, and where the "
    "props stand is known. Actor visible: in at least three quarters of the frames. Flicker: half the mean "
    "absolute second difference of the backdrop's pixels. Published: the paper's human rating (base, + data, "
    "modulation, full) or its ablation's score, of other clips by another measure: only the order can be "
    "compared."
)


def write_target_report(
    found: TargetFindings, store: Store, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write everything into ``out``; the files. about: facts for the JSON (fingerprints)."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = [_write_sheet(found, store, arm, out) for arm in found.arms]
    if FULL in found.swaps:
        sheets.append(_write_swaps(found, store, out))
    drawn = []
    if found.curve is not None:
        drawn = [out / _CURVE]
        write_text(drawn[0], _drawn_curve(found))
    write_json(out / "target.json", _numbers(found, command, about))
    write_text(out / "target.md", _page(found, command, sheets))
    return [out / "target.md", out / "target.json", *drawn, *sheets]


def _numbers(found: TargetFindings, command: str, about: dict[str, Any]) -> dict[str, Any]:
    protocol = found.protocol
    numbers: dict[str, Any] = {
        "command": command,
        "model": protocol.model,
        "cases": protocol.cases,
        "props": found.props,
        "training_seeds": protocol.seeds,
        "seed": protocol.seed,
        "steps": protocol.steps,
        "training": asdict(protocol.training),
        "level": LEVEL,
        "replicates": protocol.replicates,
        **about,
        "timing": dict(found.timing),
        "gate": {
            "least": found.gate.least,
            "passes": found.gate.passes,
            **as_json(found.gate.value),
            **found.gate.extra,
        },
        "forced": protocol.force,
    }
    if found.stopped:
        return numbers
    numbers["arms"] = [_arm_numbers(found, arm) for arm in found.arms]
    numbers["findings"] = [asdict(finding) for finding in findings(found)]
    if found.curve is not None:
        numbers["curve"] = {
            "steps": found.curve.steps,
            "right": {
                arm.name: [as_json(found.mean(values).within(0.0, 1.0)) for values in right]
                for arm, right in found.curve.right.items()
            },
            "findings": [asdict(finding) for finding in sooner(found)],
        }
    numbers["aims"] = [{"aim": aim.text, "holds": aim.holds, "evidence": aim.evidence} for aim in aims(found)]
    return numbers


def _arm_numbers(found: TargetFindings, arm: TargetArm) -> dict[str, Any]:
    told: dict[str, Any] = {
        "arm": arm.name,
        "published": published(arm),
        "metrics": {key: as_json(found.value(arm, key)) for key in METRICS},
        "above_chance": as_json(found.above_chance(arm)),
        "readings": {
            label: as_json(found.mean(values).within(0.0, 1.0))
            for (label, _, _), values in zip(READINGS, found.readings.get(arm, ()), strict=False)
        },
        "right_by_seed": [float(values.mean()) for values in found.columns[arm]["right"]],
        "right_by_actor": _by_actor(found, arm),
    }
    if FULL in found.arms and arm != FULL:
        told["full_minus_this"] = {key: as_json(found.difference(FULL, arm, key)) for key in _COMPARED}
    if arm in found.swaps:
        swap = found.swaps[arm]
        told["swap"] = {
            "followed": as_json(found.mean(swap.followed).within(0.0, 1.0)),
            "all_followed": as_json(found.mean(swap.all_followed).within(0.0, 1.0)),
            "cases": swap.followed.shape[1],
        }
    if arm in found.attention:
        looks = found.attention[arm]
        told["attention"] = {
            "inside": as_json(found.mean(looks.inside.mean(axis=2))),
            "outside": as_json(found.mean(looks.outside.mean(axis=2))),
            "log_ratio": as_json(found.mean(looks.ratio)),
            "inside_by_block": looks.inside.mean(axis=(0, 1)).tolist(),
            "outside_by_block": looks.outside.mean(axis=(0, 1)).tolist(),
        }
    return told


def _by_actor(found: TargetFindings, arm: TargetArm) -> dict[str, float]:
    actors = np.array([case.actor for case in found.cases])
    right = found.columns[arm]["right"]
    return {str(actor): float(right[:, actors == actor].mean()) for actor in np.unique(actors)}


def _page(found: TargetFindings, command: str, sheets: Sequence[Path]) -> str:
    links = "\n".join(f"- [{path.stem}]({path.name})" for path in sheets)
    examples = (
        "## Examples\nThe first cases, the same in every arm: the given first frame with the marked prop "
        f"outlined, then the clip.\n\n{links}"
    )
    head = ["# The target: is the marked one touched?", f"`{command}`", _setting(found), _gate(found)]
    if found.stopped:
        return "\n\n".join([*head, examples]) + "\n"
    parts = [*head, _aims(found), _findings(found), _soon(found)]
    parts += [_arms(found), _LEGEND, _differences(found)]
    parts += [_readings(found), _swaps(found), _attention(found), _caveats(found), examples]
    return "\n\n".join(part for part in parts if part) + "\n"


def _setting(found: TargetFindings) -> str:
    protocol, size = found.protocol, found.protocol.training
    return (
        f"{protocol.cases} held-out first frames with {found.props} props that are alike, one actor, and one "
        f"caption whichever prop is meant; case seed {protocol.seed}, the same frames and noise in every "
        f"arm; base `{protocol.model}`, {protocol.steps or 'the default number of'} denoising steps. Trained "
        f"arms: {protocol.seeds} training seeds each, all {size.steps} steps of batch {size.batch} on the "
        f"same {size.clips} clips (data seed {TRAINING_SEED}; the base learned from seed "
        f"{TARGET.data_seed}), LoRA rank {size.rank} and alpha {size.counted:g}, learning rate "
        f"{size.rate:g}, attention scale {size.normalise}; the last checkpoint of each, none was chosen."
    )


def _gate(found: TargetFindings) -> str:
    gate = found.gate
    told = ", ".join(f"{actor} {share:.2f}" for actor, share in gate.extra["by_actor"].items())
    line = (
        f"The base touches some prop in {spoken(gate.value)} of {gate.count} clips ({told}); "
        f"it must in {gate.least:.2f}."
    )
    if gate.passes:
        return f"## The gate: passed\n{line}"
    said = "nothing else was run" if found.stopped else "it was run all the same (`--force`)"
    return (
        f"## The gate: FAILED\n{line} **Where the base touches hardly anything, nothing can be said about "
        f"what it touches: the rest would say nothing, and {said}.**"
    )


def _aims(found: TargetFindings) -> str:
    told = aims(found)
    if not told:
        return "## Aims\nThe arms that ran tell about none of them."
    missed = sum(not aim.holds for aim in told)
    verdict = "All aims hold." if not missed else f"{missed} of {len(told)} aims are missed."
    lines = "\n".join(f"- {'holds' if a.holds else '**MISSED**'}: {a.text}: {a.evidence}" for a in told)
    return f"## Aims\n{verdict}\n\n{lines}"


def _findings(found: TargetFindings) -> str:
    told = findings(found)
    note = (
        "Target-Aware Video Diffusion Models, its findings, held against right-target contact "
        f"here. One above another: the whole paired interval is. Alike: the whole interval is within "
        f"{MARGIN:.2f}; no more than another: all of it is below that. Published beside (also "
        f"{CONTACT_PUBLISHED})."
    )
    if not told:
        return f"## The paper's findings\n{note}\n\nThe arms that ran tell about none of them."
    rows = [[one.text, one.published, f"**{one.verdict}**", one.evidence] for one in told]
    table = markdown_table(["finding", "published", "here", "difference"], rows)
    return f"## The paper's findings\n{note}\n\n{table}"


def _soon(found: TargetFindings) -> str:
    curve = found.curve
    if curve is None:
        return ""
    rows = [
        [
            arm.name,
            *(spoken(found.mean(values).within(0.0, 1.0)) for values in right),
            spoken(found.mean(curve.through(arm)).within(0.0, 1.0)),
        ]
        for arm, right in curve.right.items()
    ]
    table = markdown_table(["arm", *(f"{steps} steps" for steps in curve.steps), "mean"], rows)
    note = (
        "Right-target contact of the same trainings on their way, the same cases each time. Where all arms "
        "come to the same in the end, the mean over the steps tells which come there sooner."
    )
    told = [[one.text, f"**{one.verdict}**", one.evidence] for one in sooner(found)]
    compared = (
        f"\n\nThe paper's findings, held against that mean:\n\n"
        f"{markdown_table(['finding', 'here, over all steps', 'difference'], told)}"
        if told
        else ""
    )
    figure = f"![right-target contact over training steps]({_CURVE})"
    return f"## How soon it is learnt\n{note}\n\n{figure}\n\n{table}{compared}"


def _drawn_curve(found: TargetFindings) -> str:
    curve = found.curve
    assert curve is not None
    lines = [
        Line(
            arm.name,
            tuple(
                ("", float(steps), float(values.mean()))
                for steps, values in zip(curve.steps, right, strict=True)
            ),
        )
        for arm, right in curve.right.items()
    ]
    base = found.value(BASE, "right").value
    flat = Line("base, not trained", tuple(("", float(steps), base) for steps in curve.steps))
    return draw_curve([*lines, flat], "training steps", "touches the marked one first")


def _arms(found: TargetFindings) -> str:
    rows = []
    for arm in found.arms:
        score = published(arm)
        seeds = found.columns[arm]["right"].shape[0]
        chance = found.value(arm, "any").value / found.props
        cells = [_cell(found.value(arm, key), key) for key in METRICS]
        rows.append(
            [
                arm.name,
                str(seeds) if arm.trained else "",
                "" if score is None else f"{score:.3f}",
                *cells,
                f"{chance:.3f}",
            ]
        )
    head = ["arm", "seeds", "published", *(_TITLES[key] for key in METRICS), "chance"]
    seeds_told = [
        f"- {arm.name}: {', '.join(f'{values.mean():.3f}' for values in found.columns[arm]['right'])}"
        for arm in found.arms
        if arm.trained
    ]
    by_seed = "\n\nRight target by training seed:\n\n" + "\n".join(seeds_told) if seeds_told else ""
    return f"## All arms\n{markdown_table(head, rows)}{by_seed}"


def _differences(found: TargetFindings) -> str:
    if FULL not in found.arms:
        return ""
    rows = [
        [arm.name, *(_cell(found.difference(FULL, arm, key), key, sign=True) for key in _COMPARED)]
        for arm in found.arms
        if arm != FULL
    ]
    head = ["arm", *(_TITLES[key] for key in _COMPARED)]
    return f"## `{FULL.name}` minus each arm\n{markdown_table(head, rows)}"


def _readings(found: TargetFindings) -> str:
    if not found.readings:
        return ""
    rows = [
        [arm.name, *(_cell(found.mean(values).within(0.0, 1.0), "right") for values in readings)]
        for arm, readings in found.readings.items()
    ]
    note = (
        "Right-target contact of the same clips, where a touch is read otherwise; an arm whose place in the "
        "order hangs on the reading is not told apart from its neighbours."
    )
    head = ["arm", *(label for label, _, _ in READINGS)]
    return f"## Other readings of a touch\n{note}\n\n{markdown_table(head, rows)}"


def _swaps(found: TargetFindings) -> str:
    if not found.swaps:
        return ""
    rows = [
        [
            arm.name,
            spoken(found.mean(swap.followed).within(0.0, 1.0)),
            spoken(found.mean(swap.all_followed).within(0.0, 1.0)),
            str(swap.followed.shape[1]),
        ]
        for arm, swap in found.swaps.items()
    ]
    note = (
        f"The same first frame and the same noise with each of the {found.props} masks in turn. Followed: "
        "share of the clips in which the marked prop is the first one touched; all: share of the frames in "
        "which every one of its masks is followed."
    )
    return f"## Swapping the mask\n{note}\n\n" + markdown_table(["arm", "followed", "all", "frames"], rows)


def _attention(found: TargetFindings) -> str:
    if not found.attention:
        return ""
    rows = []
    for arm, looks in found.attention.items():
        inside, outside = (found.mean(part.mean(axis=2)) for part in (looks.inside, looks.outside))
        ratio = found.mean(looks.ratio)
        times = Interval(*(float(np.exp(value)) for value in (ratio.value, ratio.low, ratio.high)))
        rows.append([arm.name, f"{inside.value:.4f}", f"{outside.value:.4f}", spoken(times, digits=2)])
    cases = next(iter(found.attention.values())).inside.shape[1]
    note = (
        "How first-frame cells look at the trigger word, in the marked prop and outside of it: mean over all "
        f"blocks, three noise levels and {cases} held-out clips as they were rendered, the word in the "
        "prompt of every arm. Ratio: geometric mean over blocks and clips. This is mechanism, not success: "
        "attention may rise where contact does not."
    )
    table = markdown_table(["arm", "inside", "outside", "ratio"], rows)
    return f"## Attention inside and outside of the mask\n{note}\n\n{table}"


def _caveats(found: TargetFindings) -> str:
    protocol = found.protocol
    seeds = (
        f"; of trained arms widened by Student's interval over the {protocol.seeds} training seeds"
        if protocol.seeds > 1
        else "; trained arms were trained once, and what another training would do is not in them"
    )
    return (
        f"Brackets: {LEVEL:.0%} bootstrap intervals ({protocol.replicates} draws) over cases, all clips of a "
        f"case drawn together{seeds}. Differences are paired. The "
        "paper's arms were rated by people on other clips; a paper-cut world of three actors is not the real "
        "one."
    )


def _cell(number: Interval, key: str, sign: bool = False) -> str:
    return spoken(number, 100, 2, sign) if key == "flicker" else spoken(number, sign=sign)


def _write_sheet(found: TargetFindings, store: Store, arm: TargetArm, out: Path) -> Path:
    rows = []
    for case in found.cases[:_SHOWN]:
        key = found.keys[arm][0][case.index]
        rows.append(_row(case, store, key, case.chosen, told_mask=arm.marked))
    path = out / f"target-{arm.slug}.jpg"
    _write(path, rows)
    return path


def _write_swaps(found: TargetFindings, store: Store, out: Path) -> Path:
    rows = []
    for case in found.cases[:_SWAPS_SHOWN]:
        if case.index >= len(found.swaps[FULL].keys[0]):
            break
        for shift, key in enumerate(found.swaps[FULL].keys[0][case.index]):
            rows.append(_row(case, store, key, (case.chosen + shift) % case.count))
    path = out / "target-swaps.jpg"
    _write(path, rows)
    return path


def _row(case: TargetCase, store: Store, key: str, prop: int, told_mask: bool = True) -> Row:
    touched = store.journal[key]["touched"]
    what = "nothing" if not touched else "the marked one" if touched[0] == prop else "another"
    label = f"{case.caption}: touches {what}" + ("" if told_mask else " (no mask was given)")
    strip = Image.open(io.BytesIO(store.picture(key).read_bytes())).convert("RGB")
    count = len(shown_frames(FRAMES))
    size = strip.width // count
    cells = [np.asarray(strip.crop((k * size, 0, (k + 1) * size, strip.height))) for k in range(count)]
    return Row(np.stack([outlined(case.frame, case.props[prop]), *cells]), label)


def outlined(frame: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A frame [H, W, 3] with a line around a mask [H, W], two pixels wide and one away from it."""
    from scipy import ndimage

    drawn = frame.copy()
    rings = [ndimage.binary_dilation(mask, iterations=n) for n in (1, 3, 4)]
    drawn[rings[1] & ~rings[0]] = ASKED
    # Orange alone would be lost on a yellow prop.
    drawn[rings[2] & ~rings[1]] = _INK
    return drawn


def _write(path: Path, rows: Sequence[Row]) -> None:
    page = contact_sheet(rows, every=1)
    with replacing(path) as part:
        page.save(part, format="JPEG", quality=80)
