"""The durable log of batches, the same at both ends, and what files must survive."""
