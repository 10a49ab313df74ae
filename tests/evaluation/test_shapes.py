"""Shapes, steadiness, one puppet once, crispness and codecs, on clips that are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from oracle_theatre import Oracle, prompted, remember, tools
from PIL import Image
from scipy import ndimage

from rehearse.evaluation.kit.look import edge_energy, look
from rehearse.evaluation.kit.silhouette import best_fit, drawn, largest_blob, overlap, poses, steadiness
from rehearse.evaluation.theatre.gates import GateOptions, run_gates
from rehearse.evaluation.theatre.prompts import gate_prompts
from rehearse.evaluation.theatre.report import write_gate_report
from rehearse.evaluation.theatre.shapes import codec_gates, shape_gates
from rehearse.theatre.world import COLOURS, PUPPETS, Actor, Scene, render

CENTRE = complex(64, 64)


def rendered(
    kind, *, motion="stands still", path=((0.0, 0.5, 0.5, 1.0, 0.0),), frames=3, size=128, flip=False
):
    scene = Scene("meadow", (Actor(kind, "red", path, motion, size=0.4, phase=0.3, flip=flip),))
    clip = render(scene, frames, size)
    return remember(clip.frames, clip.masks, scene), clip.masks


@pytest.mark.parametrize("kind", PUPPETS)
def test_a_rendered_puppet_is_in_shape_however_it_stands(kind):
    _, masks = rendered(kind, path=((0.0, 0.47, 0.55, 1.0, 0.7),), flip=True)
    fit = best_fit(masks[0] > 0, kind)
    assert fit.iou > 0.9
    assert abs(fit.size - 0.4 * 128) < 5


def test_another_shape_is_not():
    square = np.zeros((128, 128), bool)
    square[40:88, 40:88] = True
    assert best_fit(square, "ball").iou < 0.92
    assert best_fit(square, "star").iou < 0.7
    assert best_fit(square, "fish").iou < 0.75
    _, car = rendered("car")
    assert best_fit(car[0] > 0, "cat").iou < 0.75 < 0.95 < best_fit(car[0] > 0, "car").iou
    # A square is what a melted ball looks like; a ball of one's own is a ball.
    disc = np.hypot(*np.mgrid[-64:64, -64:64]) < 25
    assert best_fit(disc, "ball").iou > 0.95


def test_a_silhouette_is_drawn_where_it_is_asked_for():
    outline = poses("car")[0]
    upright = drawn(outline, CENTRE, 60, 0.0, False, 128)
    assert overlap(upright[:, ::-1], drawn(outline, CENTRE, 60, 0.0, True, 128)) > 0.98
    turned = drawn(outline, CENTRE, 60, math.pi / 2, False, 128)
    assert overlap(np.rot90(upright, -1), turned) > 0.97
    rows, columns = np.nonzero(upright)
    assert abs(max(np.ptp(rows), np.ptp(columns)) + 1 - 60) <= 2


def test_steadiness_forgives_motion_and_not_change():
    outline = poses("car")[0]
    here = drawn(outline, CENTRE, 56, 0.1, False, 128)
    assert steadiness(here, drawn(outline, CENTRE + complex(6, -5), 60, 0.3, False, 128)) > 0.95
    assert steadiness(here, drawn(poses("star")[0], CENTRE, 56, 0.1, False, 128)) < 0.75
    assert steadiness(here, here) == 1.0


def test_the_second_blob_is_measured_by_the_first():
    mask = np.zeros((20, 20), bool)
    mask[2:12, 2:12] = True
    assert largest_blob(mask)[1] == 0
    mask[15:20, 15:17] = True
    blob, second = largest_blob(mask)
    assert blob.sum() == 100 and second == pytest.approx(0.1)
    assert largest_blob(np.zeros((4, 4), bool))[1] == 0


def test_a_clip_is_looked_at_and_what_is_cut_off_is_left_out():
    frames, _ = rendered("star", frames=4)
    seen = look(Oracle(), frames, "star", "red")
    assert len(seen["shape"]) == 3 and min(seen["shape"]) > 0.9
    assert len(seen["steady"]) == 3 and min(seen["steady"]) > 0.9 and seen["second"] == 0
    assert seen["edges"] == pytest.approx(edge_energy(frames), abs=1e-3)
    gone, _ = rendered("star", path=((0.0, 0.0, 0.5, 1.0, 0.0),))
    assert look(Oracle(), gone, "star", "red")["shape"] == []
    assert look(Oracle(), frames, "star", "blue") | {"edges": 0} == {
        "shape": [], "steady": [], "second": 0.0, "edges": 0,
    }  # fmt: skip
    assert edge_energy(frames) > 1.3 * edge_energy(
        np.stack([ndimage.gaussian_filter(f, (1.5, 1.5, 0)) for f in frames])
    )


def run(folder, engine, shapes=11):
    return run_gates(
        GateOptions(images=0, videos=22, renders=0, shapes=shapes),
        folder,
        lambda model: lambda: tools(lambda shot: engine(shot, size=128)),
        Oracle(),
        lambda model: (model,),
        say=lambda line: None,
        make_codec=lambda model: (lambda frames: frames // 16 * 16, 5),
    )


def melted(shot, size):
    """The right puppets as squares of their boxes, every other frame broken in two."""
    frames = prompted(shot, size=size).copy()
    seen = Oracle().segment(frames)
    masks = np.zeros(frames.shape[:3], np.uint8)
    for n in range(len(frames)):
        rows, columns = np.nonzero(seen.kind[n])
        masks[n, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 1
        if n % 2:
            masks[n, :, int(columns.mean()) - 3 : int(columns.mean()) + 3] = 0
        frames[n, 0, 0] = n
    (pair,) = {
        (PUPPETS[k - 1], c - 1) for k, c in zip(seen.kind.ravel(), seen.colour.ravel(), strict=True) if k
    }
    scene = Scene("meadow", (Actor(pair[0], COLOURS[pair[1]], ((0.0, 0.5, 0.5, 1.0, 0.0),)),))
    return remember(frames, masks, scene)


def test_renders_pass_and_melted_puppets_fail(tmp_path):
    findings, store = run(tmp_path / "good", prompted)
    gates = {gate.name: gate for gate in findings.gates}
    of_shapes = [gate for name, gate in gates.items() if "shape" in name or "stead" in name or "once" in name]
    assert len(of_shapes) == 4 and all(gate.passes for gate in of_shapes)
    assert gates["videos: edge energy, as a share of renders'"].value.value == pytest.approx(1, abs=0.25)
    # Sixteen grey levels less: an error of 7.5 of 255 on average.
    assert gates["codec: PSNR of renders"].value.value == pytest.approx(29, abs=1.5)
    assert gates["codec: PSNR of renders"].count == 11
    files = write_gate_report(findings, store, tmp_path / "out", "command", {})
    assert "true silhouette" in files[0].read_text()
    numbers = json.loads((tmp_path / "out" / "theatre.json").read_text())
    assert any("worst" in gate for gate in numbers["gates"])

    findings, _ = run(tmp_path / "bad", melted)
    gates = {gate.name: gate for gate in findings.gates}
    assert not gates["videos: shape, median of the worst kind"].passes
    assert not gates["videos: a puppet is drawn once"].passes
    assert not gates["videos: steadiness, median"].passes


def test_none_are_looked_at_where_none_are_asked_for(tmp_path):
    findings, store = run(tmp_path, prompted, shapes=0)
    assert [gate.name.split(":")[0] for gate in findings.gates] == ["videos", "videos"]
    assert not any("look_at_shapes" in store.journal[key] for key in store.journal)


def test_gates_of_nothing_found_are_left_out():
    prompts = gate_prompts(3)
    looks = [{"shape": [], "steady": [], "second": 0.0, "edges": 1.0}] * 3
    assert [gate.name for gate in shape_gates(prompts, looks)] == [
        "videos: edge energy, as a share of renders'"
    ]


def test_a_codec_that_loses_nothing_and_one_that_blurs():
    perfect = {gate.name: gate.value.value for gate in codec_gates(lambda frames: frames, 2, 3)}
    assert (
        perfect["codec: PSNR of renders"] > 90 and perfect["codec: edge energy, as a share of renders'"] == 1
    )

    def blurred(frames):
        small = [Image.fromarray(frame).resize((16, 16)).resize((128, 128)) for frame in frames]
        return np.stack([np.array(picture) for picture in small])

    assert not any(gate.passes for gate in codec_gates(blurred, 2, 3))
