"""Where paths lead: boxes round points, loops there and back, and whether a path goes anywhere."""

from __future__ import annotations

from rehearse.shot import Box, BoxKeyframe, BoxPath, BoxTrajectory, PointPath, PointTrajectory
from rehearse.shot.easing import frame_times, there_and_back
from rehearse.shot.point_path import RADIUS


def is_at_rest(trajectory: BoxTrajectory | PointTrajectory) -> bool:
    """Whether a path stays where it begins."""
    path = trajectory.path
    if isinstance(path, BoxPath):
        return len({key.box for key in path.keyframes}) == 1
    return len({key.point for key in path.keyframes}) == 1


def led_path(
    trajectory: BoxTrajectory | PointTrajectory, frames: int, width: int, height: int, *, loop: bool
) -> BoxPath:
    """The boxes that a named subject is led through. frames, width, height: of the clip. loop: whether it
    leads back to its start."""
    path = trajectory.path
    boxes = path if isinstance(path, BoxPath) else box_path_of(path, RADIUS, width, height)
    # The frames near both ends of a loop are those that stay near to the picture.
    return led_back(boxes, frames) if loop else boxes


def box_path_of(path: PointPath, radius: float, width: int, height: int) -> BoxPath:
    """A path of boxes around a moving point.

    radius: half the boxes' sides, where the path has none of its own, as a fraction of the frame's shorter
    side. width, height: of the frame in pixels. The boxes may reach beyond the frame.
    """
    reach = (radius if path.radius is None else path.radius) * min(width, height)
    half = (reach / width, reach / height)
    return BoxPath(
        [BoxKeyframe(key.time, _around(key.point, half), key.easing) for key in path.keyframes],
        easing=path.easing,
        leaves_frame=True,
    )


def _around(point: tuple[float, float], half: tuple[float, float]) -> Box:
    (x, y), (dx, dy) = point, half
    return Box(x - dx, y - dy, x + dx, y + dy)


def led_back(path: BoxPath, frames: int) -> BoxPath:
    """A path as a clip that loops goes it: there by the middle, as drags are, and back by the end. One that
    ends where it began leads back by itself and stays as it is."""
    if path.closes:
        return path
    places, at = there_and_back(frames)
    keyframes = [
        # Between two thin boxes rounding may fall just under Box's least thickness.
        BoxKeyframe(float(time), Box.model_construct(x0=x0, y0=y0, x1=x1, y1=y1))
        for time, (x0, y0, x1, y1) in zip(
            frame_times(frames), path.resample(places)[at].tolist(), strict=True
        )
    ]
    return BoxPath(keyframes, leaves_frame=True)
