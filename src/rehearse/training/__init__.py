"""Trainers: the theatre's own recipes, adapters for a person's own clips (`own`), and what both share."""
