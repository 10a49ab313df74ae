"""What of a changed shot a fork can still take up."""

from __future__ import annotations

from rehearse.shot import Shot


def acts_in_steps(before: Shot, after: Shot) -> bool:
    """Whether what differs in a changed shot acts in denoising steps: all does but the rate of frames."""
    return after.with_(fps=before.fps) != before
