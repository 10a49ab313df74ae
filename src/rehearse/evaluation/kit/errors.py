"""The one error of this room."""


class EvaluationError(ValueError):
    """An evaluation cannot be made as asked. ``str(error)`` is one sentence with the remedy."""
