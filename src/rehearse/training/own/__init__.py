"""Training video models on one's own clips: target conditioning, plain LoRAs, motion adapters.

One loop (:mod:`.loop`), one data format (:mod:`.rows`), one cache (:mod:`.cache`); what differs between
the three trainers is a :class:`.task.Task` each: :mod:`.target_task` and :mod:`.motion_task`. Target-aware
video diffusion is described in docs/methods.md, section 5.
"""
