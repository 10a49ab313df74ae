"""The theatre: the embedded paper-cut world and the small models trained on it."""
