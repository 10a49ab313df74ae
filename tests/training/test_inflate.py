"""An inflated video model begins as the image model on every frame."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel, UNet3DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from rehearse.theatre.recipes import IMAGE_UNET, TEXT_ENCODER, VIDEO_UNET
from rehearse.training.inflate import inflate, louder_words


def test_the_inflated_model_is_the_image_model_on_each_frame() -> None:
    torch.manual_seed(0)
    image = UNet2DConditionModel(**IMAGE_UNET).eval()
    video = UNet3DConditionModel(**VIDEO_UNET).eval()
    new = inflate(image, video)
    assert new
    assert all(".temp_" in f".{name}" or name.startswith("transformer_in") for name in new)
    latents, text = torch.randn(2, 8, 3, 16, 16), torch.randn(2, 5, 128)
    step = torch.tensor([700, 20])
    with torch.no_grad():
        clip = video(latents, step, text).sample
        frames = [image(latents[:, :, k], step, text).sample for k in range(3)]
    assert torch.allclose(clip, torch.stack(frames, 2), atol=1e-4)


def test_words_that_were_never_used_become_as_loud_as_the_others() -> None:
    torch.manual_seed(0)
    config = CLIPTextConfig(**{**TEXT_ENCODER, "vocab_size": 20})
    text = CLIPTextModel(config)
    weight = text.get_input_embeddings().weight
    used = torch.arange(20) < 8
    with torch.no_grad():
        weight[used] *= 4
    before = weight.detach().clone()
    assert louder_words(text) == 12
    lengths = weight.norm(dim=1)
    assert torch.equal(weight[used], before[used])
    assert torch.allclose(lengths[~used], lengths[used].median().expand(12), rtol=1e-4)
    assert torch.nn.functional.cosine_similarity(weight[~used], before[~used]).min() > 0.999
    assert louder_words(text) == 0
