"""
Deterministic simulation: the real gateway and the real historian on a simulated world.

Under them lie the interfaces they use anyway: an event loop whose time jumps, the file calls of
``os``, clocks, and an MQTT connection. One seed decides everything that happens; the same seed
gives the same trace. ``python -m tests.simulation --help``.
"""
