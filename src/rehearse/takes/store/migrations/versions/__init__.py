"""Versions of the database, one a file, in the order of their numbers."""
