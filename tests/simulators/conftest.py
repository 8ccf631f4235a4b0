"""
These tests ask the simulators with clients of their own, and some write on purpose.

Such writes are counted apart. Nothing here may import a driver, so none of them can be the
product's: tests/read_only/test_counting.py holds that.
"""

from collections.abc import Iterator

import pytest

from simulators.counting import on_purpose


@pytest.fixture(autouse=True)
def own_clients() -> Iterator[None]:
    with on_purpose():
        yield
