"""
Fuzzing of everything that reads foreign bytes: ``python -m tests.fuzz NAME --inputs N --seed S``.

A target is a module of this package with ``make(seed)``: a function that takes a random generator,
invents one input, runs it, raises when a promise is broken, and returns a few words about what
came of it, to be counted. The loop measures time and memory.
"""
