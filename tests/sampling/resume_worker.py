"""A process of its own: finishes the takes of the given files and writes their latents.

usage: resume_worker.py SOURCE TARGET [SOURCE TARGET ...]
"""

from __future__ import annotations

import sys

from safetensors.torch import save_file

from rehearse.takes import Take

for source, target in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    take = Take.load(source).finish()
    assert take._state is not None
    save_file({"latents": take._state.latents}, target)
