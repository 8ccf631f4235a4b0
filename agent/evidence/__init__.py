"""Proof that the batches are what they were: Merkle trees, signed checkpoints, time stamps."""
