"""The report of the gates: ``theatre.md``, ``theatre.json`` and sheets of what was made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rehearse.evaluation.animate.cases import MOTIONS_EACH
from rehearse.evaluation.animate.gates import Animated
from rehearse.evaluation.kit.examples import Example, write_examples
from rehearse.evaluation.kit.gate import Gate
from rehearse.evaluation.kit.measure import boxes_of
from rehearse.evaluation.kit.report import as_json, markdown_table, write_json, write_text
from rehearse.evaluation.kit.store import Store
from rehearse.evaluation.theatre.gates import Found, GateFindings

_SHOWN = 6


def write_gate_report(
    findings: GateFindings, store: Store, out: Path, command: str, about: dict[str, Any]
) -> list[Path]:
    """Write everything into ``out``; the files. about: facts for the JSON (fingerprints)."""
    out.mkdir(parents=True, exist_ok=True)
    sheets = []
    for what, found in (("images", findings.images), ("videos", findings.videos)):
        if found:
            sheets.append(out / f"theatre-{what}.jpg")
            write_examples(sheets[-1], _examples(found, store))
    if findings.animations:
        sheets.append(out / "theatre-animations.jpg")
        write_examples(sheets[-1], _animated_examples(findings.animations, store))
    options = findings.options
    write_json(
        out / "theatre.json",
        {
            "command": command,
            "seed": options.seed,
            "steps": options.steps,
            "models": {
                "image": options.image_model,
                "video": options.video_model,
                "animate": options.animate_model,
            },
            "video_captions_never_trained_on": findings.unseen,
            **about,
            "gates": [
                {
                    "gate": g.name,
                    "least": g.least,
                    "passes": g.passes,
                    "count": g.count,
                    **as_json(g.value),
                    **g.extra,
                }
                for g in findings.gates
            ],
        },
    )
    write_text(out / "theatre.md", _page(findings, command, sheets))
    return [out / "theatre.md", out / "theatre.json", *sheets]


def _page(findings: GateFindings, command: str, sheets: Sequence[Path]) -> str:
    options = findings.options
    rows = [
        [g.name, f"{g.least:.2f}", _three(g), str(g.count), "passes" if g.passes else "**fails**"]
        for g in findings.gates
    ]
    missed = sum(not gate.passes for gate in findings.gates)
    parts = [
        "# The theatre's gates",
        f"`{command}`",
        ("All gates pass." if not missed else f"{missed} of {len(findings.gates)} gates fail.")
        + " Brackets: Wilson intervals at 95 % (mask IoU: mean and 1.96 standard errors).",
        markdown_table(["gate", "at least", "measured", "of", ""], rows),
    ]
    if findings.images or findings.videos:
        parts.append(
            f"One subject a prompt, kinds, colours, motions and backdrops balanced; seed {options.seed}, "
            f"{options.steps or 'the default number of'} steps. Noise seeds and renders come from indices "
            f"beyond all data sets; {findings.unseen} of {len(findings.videos)} video captions never "
            "occurred in training word for word (of the still captions all words and most combinations "
            "did). Right means that the judge finds the asked kind in the asked colour: in the image, in "
            "more than half of a clip's frames. Direction: the way from the subject's mean place in the "
            "first third of the frames that show it to that in the last; it must be a tenth of the frame "
            "along the prompted axis and longer than across. A subject that is not found counts as wrong in "
            "both."
        )
    if options.shapes and findings.videos:
        parts.append(
            f"Shapes: of the first {min(options.shapes, len(findings.videos))} videos, the largest connected "
            "part of what the judge calls paper of the asked colour, where it keeps off the frame's edge. "
            "Shape is its IoU with the true silhouette of its kind, fitted in place, size, angle, side "
            "and pose, in three frames of a clip; steadiness that with the next frame's, laid onto it, "
            "the median of a clip; drawn once, that no second blob of its colour is larger than a tenth "
            "of it in any frame. Read so, renders have a shape of .95 (nine in ten .92) and a steadiness "
            "of .96. Edge energy is the mean difference of neighbouring pixels beside that of renders of "
            "the same puppet and backdrop. Codec: held-out clips encoded and decoded, PSNR in dB."
        )
    if findings.animations:
        parts.append(
            f"Animations: {-(-options.animations // MOTIONS_EACH)} held-out pictures of one puppet, "
            f"{MOTIONS_EACH} motion prompts each. The first frame keeps the picture when the puppet, of its "
            "kind and colour, is found within .05 of its place. Prompted motion: directions as above, "
            "growing and shrinking by a factor of 1.15, bouncing by turning round. Magnitude: the smaller "
            "rise of mean dynamic degree, from small to moderate and from moderate to large, as a part of "
            "what it rises from (bootstrap interval). Loops close when the last frame is no further from "
            "the first than the two neighbours farthest apart."
        )
    for gate in findings.gates:
        for name, shares in gate.extra.items():
            if isinstance(shares, dict):
                table = markdown_table([*shares], [[f"{share:.2f}" for share in shares.values()]])
                parts.append(f"{gate.name}, {name.replace('_', ' ')}:\n\n{table}")
    facts = {k: v for g in findings.gates for k, v in g.extra.items() if not isinstance(v, dict)}
    if "box_iou" in facts:
        parts.append(
            f"The judge's box has an IoU of {facts['box_iou']:.3f} with that of a puppet's visible pixels; "
            "asked for a puppet that is not there (one of kind and colour wrong) it finds one in "
            f"{facts['finds_what_is_absent']:.1%} of {facts['asked_for_absent']} cases."
        )
    if "when_found" in facts:
        parts.append(f"Of the clips whose subject is right, {facts['when_found']:.2f} go the prompted way.")
    if sheets:
        links = ", ".join(f"[{path.stem}]({path.name})" for path in sheets)
        parts.append(f"Sheets, the first of the successes and of the failures, found boxes in white: {links}")
    return "\n\n".join(parts) + "\n"


def _animated_examples(found: Sequence[Animated], store: Store) -> list[Example]:
    good = [one for one in found if one.kept and one.moved]
    bad = [one for one in found if not (one.kept and one.moved)]
    examples = []
    for one in [*good[:_SHOWN], *bad[:_SHOWN]]:
        key = one.keys["magnitude:moderate"]
        verdict = "right" if one in good else "wrong way" if one.kept else "picture lost"
        label = f"{verdict}: {one.case.caption()}"
        examples.append(Example(store.picture(key), label, found=boxes_of(store.journal[key])))
    return examples


def _three(gate: Gate) -> str:
    return f"{gate.value.value:.3f} [{gate.value.low:.3f}, {gate.value.high:.3f}]"


def _examples(found: Sequence[Found], store: Store) -> list[Example]:
    stills = {one.key for one in found if boxes_of(store.journal[one.key]).shape[1] == 1}
    # A still goes nowhere, so only its subject can be wrong.
    good = [one for one in found if one.right and (one.key in stills or one.moved is not False)]
    bad = [one for one in found if one not in good]
    examples = []
    for one in [*good[:_SHOWN], *bad[:_SHOWN]]:
        boxes = boxes_of(store.journal[one.key])
        verdict = "right" if one in good else "wrong subject" if not one.right else "wrong way"
        text = one.prompt.still if one.key in stills else one.prompt.caption
        examples.append(Example(store.picture(one.key), f"{verdict}: {text}", found=boxes))
    return examples
