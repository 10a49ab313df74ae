"""T5 text encoders: prompts to embeddings, and which token stands for which characters."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Self

import torch
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.folder import ModelFolder
from rehearse.models.precision import Precision
from rehearse.models.text import ClipText, read_text_parts, refuse_missing_tokenizer


class T5Text(ClipText):
    """Tokenizer and T5 encoder of a model folder. There is no begin-of-text token, and padding is seen, as in
    the pipelines."""

    encoder_class = "T5EncoderModel"

    def __init__(self, tokenizer: Any, encoder: Any, max_tokens: int, device: torch.device) -> None:
        super().__init__(tokenizer, encoder)
        # T5 has no table of positions: the denoiser sets the length.
        self.max_tokens = max_tokens
        self._device = device

    @classmethod
    def load_t5(cls, folder: ModelFolder, max_tokens: int, precision: Precision) -> Self:
        """Read ``tokenizer/`` and ``text_encoder/`` (of ``encoder_class``). Raises ModelError."""
        folder.weights("text_encoder")
        refuse_unreadable_table(folder)
        import transformers

        kind = getattr(transformers, cls.encoder_class)
        tokenizer, encoder = read_text_parts(folder, transformers.T5Tokenizer, kind, precision.dtype)
        return cls(tokenizer, encoder, max_tokens, precision.device)

    def encode(self, prompts: list[str]) -> Tensor:
        """Embeddings ``[prompts, max_tokens, width]`` float32."""
        if self._device.type == "cpu":
            return self._encoded(prompts)
        # The encoder is as large as the denoiser and is needed once a take: it does not stay on the device.
        self.encoder.to(self._device)
        try:
            return self._encoded(prompts)
        finally:
            self.encoder.to("cpu")

    def _encoded(self, prompts: list[str]) -> Tensor:
        return super().encode(prompts)


class UMT5Text(T5Text):
    """Tokenizer and UMT5 encoder of a model folder: the encoder does not see padding, and the denoiser gets
    zeros for it."""

    encoder_class = "UMT5EncoderModel"

    @torch.no_grad()
    def _encoded(self, prompts: list[str]) -> Tensor:
        read = self.tokenizer(
            prompts, padding="max_length", max_length=self.max_tokens, truncation=True, return_tensors="pt"
        )
        ids, mask = (read[name].to(self.encoder.device) for name in ("input_ids", "attention_mask"))
        embeddings: Tensor = self.encoder(ids, attention_mask=mask)[0]
        # Chosen, not multiplied: what an encoder makes of padding may be no number at all.
        return embeddings.float().where(mask.bool()[..., None], 0.0).cpu()


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
