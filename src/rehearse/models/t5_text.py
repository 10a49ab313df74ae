"""T5 text encoders: prompts to embeddings, and which token stands for which characters."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.precision import Precision
from rehearse.models.text import ClipText, read_text_parts, refuse_missing_tokenizer


class T5Text(ClipText):
    """Tokenizer and T5 encoder of a model folder. There is no begin-of-text token, and padding is seen, as in
    the pipelines."""

    def __init__(self, tokenizer: Any, encoder: Any, max_tokens: int, device: torch.device) -> None:
        super().__init__(tokenizer, encoder)
        # T5 has no table of positions: the denoiser sets the length.
        self.max_tokens = max_tokens
        self._device = device

    @classmethod
    def load_t5(cls, folder: ModelFolder, max_tokens: int, precision: Precision) -> T5Text:
        """Read ``tokenizer/`` and ``text_encoder/`` (T5EncoderModel). Raises ModelError."""
        folder.weights("text_encoder")
        refuse_unreadable_table(folder)
        from transformers import T5EncoderModel, T5Tokenizer

        tokenizer, encoder = read_text_parts(folder, T5Tokenizer, T5EncoderModel, precision.dtype)
        return cls(tokenizer, encoder, max_tokens, precision.device)

    def encode(self, prompts: list[str]) -> Tensor:
        """Embeddings ``[prompts, max_tokens, width]`` float32."""
        if self._device.type == "cpu":
            return super().encode(prompts)
        # The encoder is as large as the denoiser and is needed once a take: it does not stay on the device.
        self.encoder.to(self._device)
        try:
            return super().encode(prompts)
        finally:
            self.encoder.to("cpu")


def refuse_unreadable_table(folder: ModelFolder) -> None:
    """ModelError where there is no tokenizer, or it is a sentencepiece table and nothing here reads one."""
    refuse_missing_tokenizer(folder)
    place = folder.place("tokenizer")
    if (place / "tokenizer.json").is_file() or not (place / "spiece.model").is_file():
        return
    if any(find_spec(name) is None for name in ("sentencepiece", "google.protobuf")):
        raise ModelError(
            f"model {folder.identity!r}: its tokenizer (tokenizer/spiece.model) needs sentencepiece, which "
            "is not installed; pip install 'rehearse[t5]'"
        )
