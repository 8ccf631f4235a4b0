"""docs/journal.md says what is true: every kind, word, needed fact and command."""

from pathlib import Path

from reports.journal.commands import journal_app
from reports.journal.forms import FORMS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "journal.md").read_text("utf-8")


def test_the_page_names_every_kind_word_and_fact() -> None:
    for form in FORMS.values():
        assert f"| `{form.kind}` {form.name.zh} |" in PAGE
        for word, name in form.words.items():
            assert f"`{word}` {name.zh}" in PAGE
        for fact in form.facts:
            if fact.id != "result":
                assert f"`{fact.id}`" in PAGE or f"{fact.id}=" in PAGE, fact.id


def test_the_page_shows_every_command() -> None:
    names = [
        each.name or getattr(each.callback, "__name__", "")
        for each in journal_app.registered_commands
    ]
    for name in names:
        assert f"smelter journal {name}" in PAGE, name
