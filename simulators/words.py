"""What the simulator says to a person, in Chinese or English."""

from drivers.cli import language


def say(zh: str, en: str) -> str:
    """The text in the language of the environment."""
    return zh if language() == "zh" else en
