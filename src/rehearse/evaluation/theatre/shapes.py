"""What a person sees first: is a generated puppet in shape, steady, one, crisp; does the codec hold it?

shape       overlap of a found puppet with its true silhouette, fitted in place, size, angle and pose:
            median >= .85 and, in nine of ten frames, >= .70, for every kind
steadiness  overlap of its silhouettes in neighbouring frames, laid onto each other: median >= .90
once        no second blob of its colour is larger than a tenth of it, in any frame: >= 95 %
crispness   edge energy of clips, as a share of that of renders of the same things: >= .80
codec       held-out renders, encoded and decoded: PSNR >= 28 dB, on the puppets alone >= 24 dB; edge energy
            >= .80

The silhouette is what the judge calls paper of the asked colour, its largest connected part. On renders it
comes to .95 (median) and .92 (nine in ten) of the true shape, and to .96 between neighbouring frames.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearse.evaluation.kit.gate import Gate, share_gate
from rehearse.evaluation.kit.intervals import Interval, interval, resamples
from rehearse.evaluation.kit.look import edge_energy
from rehearse.evaluation.kit.silhouette import SECOND_BLOB
from rehearse.evaluation.theatre.prompts import GatePrompt, held_out_scene
from rehearse.theatre.world import Actor, Scene, render, render_frame, through

SHAPE, SHAPE_OF_MOST, MOST, STEADY, ONCE, CRISP = 0.85, 0.70, 0.9, 0.90, 0.95, 0.80
CODEC_PSNR, CODEC_PUPPETS = 28.0, 24.0
_CODEC_SEED = 12

RoundTrip = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""A clip uint8 [F, H, W, 3] through a codec and back."""


def shape_gates(prompts: Sequence[GatePrompt], looks: Sequence[Mapping[str, Any]]) -> list[Gate]:
    """The gates on clips, of what :func:`rehearse.evaluation.kit.look.look` says of each prompt's clip."""
    kinds: dict[str, list[float]] = {}
    for prompt, seen in zip(prompts, looks, strict=True):
        kinds.setdefault(prompt.kind, []).extend(seen["shape"])
    kinds = {kind: shapes for kind, shapes in sorted(kinds.items()) if shapes}
    gates = []
    if kinds:
        every = [shape for shapes in kinds.values() for shape in shapes]
        medians = {kind: float(np.median(shapes)) for kind, shapes in kinds.items()}
        worst = min(medians, key=medians.__getitem__)
        extra = {"by_kind": medians, "of_all_kinds": float(np.median(every)), "worst": worst}
        gates.append(
            Gate("videos: shape, median of the worst kind", SHAPE, _median(kinds[worst]), len(every), extra)
        )
        shares = {kind: float(np.mean(np.array(s) >= SHAPE_OF_MOST)) for kind, s in kinds.items()}
        worst = min(shares, key=shares.__getitem__)
        hits = [shape >= SHAPE_OF_MOST for shape in kinds[worst]]
        overall = float(np.mean(np.array(every) >= SHAPE_OF_MOST))
        gates.append(
            share_gate(
                f"videos: shape above {SHAPE_OF_MOST:.2f}, share of the worst kind",
                MOST,
                hits,
                by_kind=shares,
                of_all_kinds=overall,
                worst=worst,
            )
        )
    steady = [float(np.median(seen["steady"])) for seen in looks if seen["steady"]]
    if steady:
        gates.append(Gate("videos: steadiness, median", STEADY, _median(steady), len(steady)))
    found = [bool(seen["second"] <= SECOND_BLOB) for seen in looks if seen["shape"] or seen["steady"]]
    if found:
        gates.append(share_gate("videos: a puppet is drawn once", ONCE, found))
    made = np.array([float(seen["edges"]) for seen in looks])
    true = np.array([_edges_of_a_render(prompt) for prompt in prompts])
    counts = resamples(len(made))
    crisp = interval((counts @ made) / (counts @ true))
    gates.append(Gate("videos: edge energy, as a share of renders'", CRISP, crisp, len(made)))
    return gates


def _median(values: Sequence[float]) -> Interval:
    rng = np.random.default_rng(0)
    known = np.array(values)
    drawn = np.median(known[rng.integers(0, len(known), (1000, len(known)))], axis=1)
    return interval(np.concatenate([[np.median(known)], drawn]))


def _edges_of_a_render(prompt: GatePrompt) -> float:
    at_rest = through([(0.5, 0.5), (0.5, 0.5)])
    scene = Scene(prompt.backdrop, (Actor(prompt.kind, prompt.colour, at_rest, prompt.motion),))
    return edge_energy(render_frame(scene).frame[None])


def codec_gates(round_trip: RoundTrip, clips: int, frames: int, size: int = 128) -> list[Gate]:
    """The codec on held-out clips of this many frames: PSNR in dB, of all pixels and of those of puppets, and
    its edge energy. round_trip: see RoundTrip."""
    whole, puppets, made, true = [], [], [], []
    for index in range(clips):
        scene, _ = held_out_scene(_CODEC_SEED, index)
        clip = render(scene, frames, size)
        back = round_trip(clip.frames)
        squares = ((back.astype(np.float64) - clip.frames) / 255.0) ** 2
        whole.append(squares.mean())
        puppets.append(squares[clip.masks > 0].mean() if (clip.masks > 0).any() else np.nan)
        made.append(edge_energy(back))
        true.append(edge_energy(clip.frames))
    counts = resamples(clips)
    gates = []
    for name, least, errors in (
        ("codec: PSNR of renders", CODEC_PSNR, whole),
        ("codec: PSNR of puppets", CODEC_PUPPETS, puppets),
    ):
        known = np.array(errors)
        there = ~np.isnan(known)
        # An error below what bytes can hold is no error.
        mean = ((counts[:, there] @ known[there]) / counts[:, there].sum(1)).clip(min=1e-10)
        gates.append(Gate(name, least, interval(-10 * np.log10(mean)), int(there.sum())))
    crisp = interval((counts @ np.array(made)) / (counts @ np.array(true)))
    gates.append(Gate("codec: edge energy, as a share of renders'", CRISP, crisp, clips))
    return gates
