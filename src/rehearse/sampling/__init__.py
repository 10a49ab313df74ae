"""The resumable denoising loop. Import what you need from its modules; this file imports nothing."""
