"""An inflated video model begins as the image model on every frame."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel, UNet3DConditionModel

from rehearse.theatre.recipes import IMAGE_UNET, VIDEO_UNET
from rehearse.training.inflate import inflate


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
