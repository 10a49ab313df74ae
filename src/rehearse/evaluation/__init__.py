"""Evidence: does a take do what its shot says, and does it still look like the world?

`cases` and `prompts` say what is asked; `measure` runs one clip through the public API and reads it with the
judge; `trajectory`, `motion` and `quality` are the metrics; `intervals` says how sure they are; `ablation`
(with `arms`, `choice`, `table`), `gates` and `shift` are the three evaluations behind `rehearse evaluate`.
"""
