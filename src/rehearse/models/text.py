"""CLIP text encoders: prompts to embeddings, and which token stands for which characters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from rehearse.models.errors import ModelError
from rehearse.models.finite import refuse_flaws
from rehearse.models.first_line import first_line
from rehearse.models.folder import ModelFolder
from rehearse.models.model import Tokens
from rehearse.resolve.vocabulary import words_of

# CLIPTokenizer without a length in its settings reports a number of 30 digits; CLIP itself has 77 positions.
_CLIP_LENGTH = 77
_TABLES = ("tokenizer.json", "vocab.json", "spiece.model")


class ClipText:
    """Tokenizer and text encoder of a model folder."""

    def __init__(self, tokenizer: Any, encoder: Any) -> None:
        self.tokenizer = tokenizer
        self.encoder = encoder
        positions = int(getattr(encoder.config, "max_position_embeddings", _CLIP_LENGTH))
        self.max_tokens = min(int(tokenizer.model_max_length), positions)
        self._ends = set(tokenizer.all_special_ids)

    @classmethod
    def load(cls, folder: ModelFolder) -> ClipText:
        """Read ``tokenizer/`` and ``text_encoder/``. Raises ModelError."""
        kind = folder.component_class("text_encoder")
        if kind != "CLIPTextModel":
            raise ModelError(
                f"model {folder.identity!r}: its text encoder is a {kind}; only CLIPTextModel is read"
            )
        folder.weights("text_encoder")
        refuse_missing_tokenizer(folder)
        from transformers import CLIPTextModel

        try:
            from transformers import CLIPTokenizerFast as Tokenizer  # character spans before transformers 5
        except ImportError:
            from transformers import CLIPTokenizer as Tokenizer

        return cls(*read_text_parts(folder, Tokenizer, CLIPTextModel, torch.float32))

    def tokenize(self, prompt: str) -> Tokens:
        """Token ids of the prompt, cut at the limit and padded, with the characters each stands for."""
        whole = self.tokenizer(prompt, return_offsets_mapping=True, verbose=False)
        fitting = self.tokenizer(
            prompt,
            padding="max_length",
            max_length=self.max_tokens,
            truncation=True,
            return_offsets_mapping=True,
        )
        spans = [(int(start), int(end)) if end > start else None for start, end in fitting["offset_mapping"]]
        cut = None
        if len(whole["input_ids"]) > self.max_tokens:
            # The last entry is the end mark: the first token lost is the one that stood in its place.
            cut = int(whole["offset_mapping"][self.max_tokens - 1][0])
        return Tokens(ids=tuple(int(i) for i in fitting["input_ids"]), spans=tuple(spans), cut=cut)

    @torch.no_grad()
    def encode(self, prompts: list[str]) -> Tensor:
        """Embeddings ``[prompts, max_tokens, width]`` float32."""
        ids = torch.tensor([self.tokenize(prompt).ids for prompt in prompts], dtype=torch.long)
        # Padding is seen as the pipelines these models were trained with see it: unless the encoder asks.
        mask = None
        if getattr(self.encoder.config, "use_attention_mask", False):
            mask = torch.tensor(
                [[int(i < 1 or s is not None) for i, s in enumerate(self.tokenize(p).spans)] for p in prompts]
            )
        embeddings: Tensor = self.encoder(ids.to(self.encoder.device), attention_mask=mask)[0]
        return embeddings.float().cpu()


def refuse_missing_tokenizer(folder: ModelFolder) -> None:
    """ModelError where there are no tables to tokenize by: transformers would make an empty tokenizer, which
    reads every word as unknown."""
    place = folder.place("tokenizer")
    if not any((place / name).is_file() for name in _TABLES):
        raise ModelError(
            f"model {folder.identity!r}: tokenizer/ has none of {', '.join(_TABLES)}; copy the whole folder "
            "again"
        )


def read_text_parts(folder: ModelFolder, tokenizer: Any, encoder: Any, dtype: torch.dtype) -> tuple[Any, Any]:
    """Tokenizer and text encoder, of the given classes, frozen, from a folder whose weights were checked.

    Raises ModelError.
    """
    from transformers.utils import logging

    for component in ("tokenizer", "text_encoder"):
        folder.check_json(component)
    place, bars = folder.place("text_encoder"), logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # a bar for a load of milliseconds tells nobody anything
    try:
        words = tokenizer.from_pretrained(folder.place("tokenizer"), local_files_only=True)
        read = encoder.from_pretrained(
            place,
            dtype=dtype,
            use_safetensors=True,
            variant=folder.variant("text_encoder"),
            local_files_only=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        raise ModelError(
            f"model {folder.identity!r}: its tokenizer or text encoder cannot be read "
            f"({place.name}/): {first_line(error)}"
        ) from error
    finally:
        if bars:
            logging.enable_progress_bar()
    refuse_flaws(read, folder, "text_encoder")
    return words, read.eval().requires_grad_(False)


def vocabulary_of(folder: ModelFolder) -> frozenset[str] | None:
    """The closed vocabulary beside the model index (``vocabulary.json``, a list of words); None: any word."""
    words = folder.optional("vocabulary.json")
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ModelError(f"model {folder.identity!r}: vocabulary.json must hold a list of words")
    return frozenset(part for word in words for part in words_of(word))
