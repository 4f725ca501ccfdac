"""A model on disk: its directory, its weights, and how far its network sees."""
