"""Alembic's room: ``env.py`` runs what is in ``versions``."""
