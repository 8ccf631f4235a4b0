"""A plant that lies on demand: physics, device servers, faults, ground truth, the demo."""
