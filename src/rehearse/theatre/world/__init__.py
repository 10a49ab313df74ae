"""The world of the paper theatre: scenes, and a deterministic renderer with ground truth.

scene = sample_scene(numpy.random.default_rng(7))
clip = render(scene)            # frames, boxes, masks, flow, caption
still = render_frame(scene, t=0.5)
"""

from .motions import Path, pose_at, sample_path, through
from .render import Clip, Still, frame_times, render, render_frame
from .scene import Actor, Scene, sample_scene
from .sheet import cast_sheet, contact_sheet, target_sheet
from .target_render import TargetClip, render_target
from .target_scene import Prop, TargetScene, sample_target_scene, target_words
from .vocabulary import BACKDROPS, COLOURS, CUSTOM, MOTIONS, PUPPETS, caption, still_caption, words

__all__ = [
    "BACKDROPS",
    "COLOURS",
    "CUSTOM",
    "MOTIONS",
    "PUPPETS",
    "Actor",
    "Clip",
    "Path",
    "Prop",
    "Scene",
    "Still",
    "TargetClip",
    "TargetScene",
    "caption",
    "cast_sheet",
    "contact_sheet",
    "frame_times",
    "pose_at",
    "render",
    "render_frame",
    "render_target",
    "sample_path",
    "sample_scene",
    "sample_target_scene",
    "still_caption",
    "target_sheet",
    "target_words",
    "through",
    "words",
]
