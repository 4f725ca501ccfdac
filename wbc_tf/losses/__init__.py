"""Losses: pure functions of tensors to an unweighted scalar."""
