"""From an exported model to pictures on disk."""
