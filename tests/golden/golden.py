"""Cases with their right values for what the page computes as the library does.

``python tests/golden/golden.py`` writes them, one JSON file a subject, beside this file; `test_golden.py`
asks that they are what the library says, and ``web/src/golden.test.ts`` that the page says the same.
Places in texts are counted in characters (code points).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from rehearse.pictures.elastic import Elastic
from rehearse.resolve.instructions.blends import ForkBlend, blend_of
from rehearse.resolve.vocabulary import unknown_words
from rehearse.shot import BlendSettings, BoxTrajectory, PointTrajectory, Shot, phrase_spans
from rehearse.shot.easing import EASINGS

HERE = Path(__file__).parent
Cases = list[dict[str, Any]]


def phrases() -> Cases:
    """Where a prompt speaks of a phrase."""
    asked = [
        ("a Red  ball and a red ballon over the red ball", "the red ball"),
        ("a Red  ball and a red ballon over the red ball", "red ball"),
        ("a red ball", "ball, red"),
        ("a red ball", ""),
        ("a red ball", "   "),
        ("a red ball", "the"),
        ("the the red ball", "the"),
        ("An ant on an ant", "an ant"),
        ("a (b) c", "(b)"),
        ("a.b a-b a b", "a.b"),
        ("ball_one ball", "ball"),
        ("ball1 ball", "ball"),
        ("the dog's ball", "dog"),
        ("the dog's ball", "dog's"),
        ("ein Bär und ein BÄR", "bär"),
        ("東京 の 猫", "猫"),
        ("東京の猫", "猫"),
        ("🙂 red ball 🙂 red ball", "red ball"),
        ("red\tball red\u00a0ball", "red ball"),
        ("a [red] ball", "[red] ball"),
        ("$5 for a ball", "$5"),
        ("what? a ball?", "ball?"),
        ("a\\b", "a\\b"),
        ("straße STRASSE", "straße"),
        ("a  the ball", "a the ball"),
    ]
    return [
        {"prompt": p, "phrase": q, "spans": [list(span) for span in phrase_spans(p, q)]} for p, q in asked
    ]


def words() -> Cases:
    """Which words of a text a closed vocabulary does not have."""
    known = ["a", "red", "ball", "over", "the", "meadow", "dog's", "well-known"]
    texts = [
        "A red bal over the dog's meadow",
        "a red ball, over the meadow!",
        "RED Ball",
        "",
        "  ",
        "well-known ball",
        "a well-known-ish ball",
        "a 🙂 ball",
        "🙂🙂 🎈ball",
        "a red_ball",
        "3 balls",
        "a dog’s ball",
        "a red ball…",
        "a red ball → meadow",
        "a ❤️ ball",
        "ein Bär über der Wiese",
        "猫 と ball",
        "“red” ball",
        "a bal a bal",
        "ball™",
    ]
    return [{"text": text, "vocabulary": known, "unknown": unknown_words(text, known)} for text in texts]


def paths() -> Cases:
    """Where a path is at times of the clip, with every easing, before, at and after its keyframes."""
    times = [0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0]
    found: Cases = []
    for number, easing in enumerate(EASINGS):
        other = EASINGS[(number + 1) % len(EASINGS)]
        box = {
            "kind": "trajectory", "form": "box", "phrase": "ball",
            "path": {"easing": easing, "keyframes": [
                {"time": 0.1, "box": [0.1, 0.2, 0.3, 0.5]},
                {"time": 0.5, "box": [0.4, 0.1, 0.9, 0.4], "easing": other},
                {"time": 0.8, "box": [0.2, 0.5, 0.5, 0.9]},
            ]},
        }  # fmt: skip
        point = {
            "kind": "trajectory", "form": "point", "phrase": "ball",
            "path": {"easing": easing, "keyframes": [
                {"time": 0, "point": [0.1, 0.9]}, {"time": 1, "point": [0.7, 0.2]},
            ]},
        }  # fmt: skip
        found += [
            {"instruction": box, "at": [[time, _corners(box, time)] for time in times]},
            {"instruction": point, "at": [[time, _place(point, time)] for time in times]},
        ]
    still = {
        "kind": "trajectory",
        "form": "point",
        "path": {"keyframes": [{"time": 0.5, "point": [0.3, 0.4]}]},
    }
    return [*found, {"instruction": still, "at": [[time, _place(still, time)] for time in times]}]


def _corners(instruction: dict[str, Any], time: float) -> list[float]:
    box = BoxTrajectory.model_validate(instruction).path.at(time)
    return [box.x0, box.y0, box.x1, box.y1]


def _place(instruction: dict[str, Any], time: float) -> list[float]:
    return list(PointTrajectory.model_validate(instruction).path.at(time))


def blends() -> Cases:
    """What a shot's blend is with: the take that is left, or the picture before the drags."""
    path = {"keyframes": [{"time": 0, "point": [0.2, 0.2]}, {"time": 1, "point": [0.6, 0.6]}]}
    rest = {"keyframes": [{"time": 0, "point": [0.2, 0.2]}, {"time": 1, "point": [0.2, 0.2]}]}
    box = {"keyframes": [{"time": 0, "box": [0, 0, 0.5, 0.5]}, {"time": 1, "box": [0.5, 0.5, 1, 1]}]}
    one = {"kind": "trajectory", "form": "point"}
    lists: list[list[dict[str, Any]]] = [
        [],
        [{**one, "phrase": "ball", "path": path}],
        [{**one, "path": path}],
        [{**one, "path": rest}],
        [{**one, "form": "box", "path": box}],
        [{**one, "form": "box", "phrase": "ball", "path": box}],
        [{"kind": "motion", "magnitude": "moderate"}],
        [{**one, "form": "drag", "moves": [{"handle": [0.2, 0.2], "target": [0.4, 0.2]}]}],
    ]
    found: Cases = []
    for instructions in lists:
        for blend in (None, {"weight": 0.5}):
            shot = {"prompt": "a ball", "instructions": instructions, "control": {"blend": blend}}
            meant = blend_of(Shot.model_validate(shot))
            found.append({"shot": shot, "mixes_with_parent": isinstance(meant, ForkBlend)})
    return found


def weights() -> Cases:
    """The weights of a blend over the frames of a clip."""
    lines = [
        [(0, 0), (1, 1)],
        [(0.2, 0.3), (0.7, 0.9)],
        [(0, 1), (0.5, 0), (1, 0.4)],
        [(0.5, 0.6), (0.9, 0.1)],
    ]
    found: Cases = []
    for line in lines:
        said = [{"time": time, "weight": weight} for time, weight in line]
        settings = BlendSettings.model_validate({"over_time": said})
        found.append({"over_time": said, "frames": 9, "weights": settings.weights(9)})
    return found


def elastic() -> Cases:
    """Where the elastic map of a drag reads, in pixels."""
    drags: list[tuple[list[list[float]], list[list[float]]]] = [
        ([[10, 10]], [[14, 7]]),
        ([[10, 10], [30, 12]], [[12, 14], [28, 20]]),
        ([[10, 10], [30, 12], [20, 40]], [[10, 10], [36, 12], [20, 40]]),
        ([[10, 10], [30, 10], [30, 30], [10, 30]], [[30, 10], [30, 30], [10, 30], [10, 10]]),
        ([[10, 10], [20, 10], [15, 25]], [[20, 10], [10, 10], [15, 25]]),
    ]
    at = np.array([[5, 5], [12, 11], [20, 20], [31, 9], [40, 50], [0, 63]], np.float32)
    found: Cases = []
    for handles, targets in drags:
        drag = Elastic(_complex(handles), _complex(targets))
        x, y = drag.source(at[:, 0], at[:, 1])
        # The library counts in single precision.
        reads = np.stack([x, y], axis=1).round(3).tolist()
        found.append({"handles": handles, "targets": targets, "at": at.tolist(), "reads": reads})
    return found


def _complex(points: list[list[float]]) -> Any:
    return np.array([complex(x, y) for x, y in points])


SUBJECTS: dict[str, Callable[[], Cases]] = {
    said.__name__: said for said in (phrases, words, paths, blends, weights, elastic)
}


def text_of(cases: Cases) -> str:
    """The cases as their file holds them: one case a line."""
    return "[\n" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n]\n"


if __name__ == "__main__":
    for name, cases in SUBJECTS.items():
        (HERE / f"{name}.json").write_text(text_of(cases()), encoding="utf-8")
