"""The loop, its checkpoints and its logs: they know steps, and no method."""
