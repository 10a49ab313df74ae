"""The process that opens a pickle of tensors and writes them as safetensors, and does nothing else.

``python -m rehearse.models.unpickle FROM TO`` ends with 0 and a JSON object on standard output, or with 1 and
one sentence there. Torch's restricted unpickler takes tensors and plain values only; should it ever be got
round, that is in a process which holds nothing and ends.
"""

from __future__ import annotations

import json
import pickle
import sys
from collections.abc import Mapping
from typing import Any

# What trainers call the weights in a file that has more than these.
_INSIDE = ("state_dict", "model_state_dict", "module", "model", "params", "weights")


def main(source: str, target: str) -> int:
    """Write the tensors of a pickle as safetensors; the exit status, 0 where it is done."""
    import torch
    from safetensors.torch import save_file

    try:
        content = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return _refuse(
            "holds more than tensors, so that loading it could run code; ask for it as safetensors"
        )
    except (RuntimeError, EOFError, ValueError, OSError, KeyError, AttributeError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return _refuse(f"is no file of tensors that can be read ({lines[0][:200]}); download it again")
    inside, left = _weights(content)
    tensors = {name: value for name, value in inside.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        return _refuse("has no tensors by name in it; it is no file of weights")
    left += [str(name) for name in inside if name not in tensors]
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, target, {"format": "pt"})
    print(json.dumps({"tensors": len(tensors), "left": left}))
    return 0


def _weights(content: Any) -> tuple[Mapping[str, Any], list[str]]:
    """The tensors by name, perhaps among other things, and the names of what lies beside them."""
    if not isinstance(content, Mapping):
        return {}, []
    inner = next((name for name in _INSIDE if isinstance(content.get(name), Mapping)), None)
    if inner is None or any(hasattr(value, "untyped_storage") for value in content.values()):
        return content, []
    found, left = _weights(content[inner])
    return found, [*(str(name) for name in content if name != inner), *left]


def _refuse(why: str) -> int:
    print(json.dumps({"refused": why}))
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
