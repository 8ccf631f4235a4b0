"""Speed and size of the product beside a minimal floor measured in the same run.

Run ``python -m benchmarks [NAME…]``; every benchmark is a file here with a ``run`` function.
"""
