"""The one error of this room."""


class ModelError(ValueError):
    """A model cannot be found, read or asked this. ``str(error)`` is one sentence with the remedy."""
