"""What a process of a study holds. Functions of a module, so that other processes find them by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rehearse.evaluation.animate.measure import AnimateTools
    from rehearse.evaluation.kit.measure import Tools


def animation_tools(model: str) -> AnimateTools:
    """What a process that makes animations holds."""
    from rehearse.evaluation.animate.engine import load_animator
    from rehearse.evaluation.animate.measure import AnimateTools
    from rehearse.evaluation.kit.judging import load_bench

    return AnimateTools(load_animator(model), load_bench().judge)


def clip_tools(model: str) -> Tools:
    """What a process that makes clips holds."""
    from rehearse.evaluation.kit.engine import load_engine
    from rehearse.evaluation.kit.judging import load_bench
    from rehearse.evaluation.kit.measure import Tools

    return Tools(load_engine(model), load_bench().judge)
