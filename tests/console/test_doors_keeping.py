"""Accounts in a backup, and what the doctor says of them."""

import json
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.backup_commands import backup, restore
from drivers.cli import _app
from drivers.doctor import Given
from reports.console.doors.roles import Right, Role
from reports.console.doors.sessions import Sessions
from reports.console.doors.store import Store
from reports.console.doors.tokens import Tokens
from reports.console.office import Office
from reports.doctor import check
from reports.keeping_catalogue import holdings
from tests.console.doors_people import somebody
from tests.console.test_doors_tls import certificate
from tests.reports import plant

RUN = CliRunner()
APPROVED = ("--approved-by", "孙丽", "--why", "yearly copy")
DAY_NS = 86_400 * 10**9


@pytest.fixture
def site_file(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "site.toml"
    path.write_text(plant.SITE + '\n[console]\ndata_dir = "accounts"\n', "utf-8")
    return path


def backed_up(site_file: Path, *more: str) -> Path:
    target = site_file.with_name("site.smelter")
    made = RUN.invoke(_app("backup", backup), [str(site_file), "--out", str(target), *more])
    assert made.exit_code == 0, (made.output, made.exception)
    return target


def restored(target: Path, to: Path, *more: str) -> Path:
    back = RUN.invoke(_app("restore", restore), [str(target), "--to", str(to), "--json", *more])
    assert back.exit_code == 0, (back.output, back.exception)
    (config,) = json.loads(back.output)["restored"].values()
    return Path(config)


def test_accounts_come_back_sessions_do_not(site_file: Path, tmp_path: Path) -> None:
    """While the console has the store open, and without a passphrase not at all."""
    store = Store(Office(site_file).data)
    user = somebody(store, "wang", Role.OFFICER)
    Tokens(store).make(user, "daily", [Right.SEE], 9)
    Sessions(store, 60, 60).begin(user, "", "")
    folder = Office(site_file).data
    (folder / "drafts").mkdir()
    (folder / "drafts" / "x.json").write_text("{}")
    (folder / "notices.json").write_text("{}")
    phrase = tmp_path / "phrase.password"
    phrase.write_text("a long passphrase for a backup")
    phrase.chmod(0o600)
    sealed = ("--passphrase-file", str(phrase))
    target = backed_up(site_file, "--with-keys", *APPROVED, *sealed)
    held = target.read_bytes()
    assert b"argon2id" not in held
    assert b"SQLite format" not in held

    config = restored(target, tmp_path / "to", *sealed)
    office = Office(config)
    assert office.data.resolve() == (config.parent / "../data/console").resolve()
    back = Store(office.data)
    found = back.user("wang")
    assert found
    assert found.hash == user.hash
    assert [each.label for each in Tokens(back).known("wang")] == ["daily"]
    assert back.rows("select * from sessions") == []
    assert (office.data / "console.db").stat().st_mode & 0o777 == 0o600
    assert (office.data / "notices.json").exists()
    assert not (office.data / "drafts").exists()
    back.close()
    assert store.rows("select count(*) from sessions") == [(1,)]
    store.close()

    target.unlink()
    plain = backed_up(site_file, *APPROVED)
    config = restored(plain, tmp_path / "bare")
    assert not (Office(config).data / "console.db").exists()


def test_the_catalogue_names_the_accounts(site_file: Path) -> None:
    Store(Office(site_file).data).close()
    (row,) = [each for each in holdings(site_file) if "console.db" in each.places[0]]
    assert row.kind == "keys"


def doctor(site_file: Path, now_ns: int) -> dict[str, str]:
    """What is said of the console: text -> level."""
    given = Given(site=site_file, now_ns=now_ns)
    return {each.what.en: each.level for each in check(given) if each.topic == "console"}


def test_the_doctor_looks_at_the_console(site_file: Path) -> None:
    now = time.time_ns()
    assert doctor(site_file, now) == {}  # never started: nothing to say
    store = Store(Office(site_file).data)
    assert doctor(site_file, now) == {"there is no administrator": "bad"}
    somebody(store, "boss", Role.ADMINISTRATOR)
    somebody(store, "wang", Role.OFFICER)
    assert doctor(site_file, now) == {"2 accounts, 1 of them administer": "ok"}
    store.path.chmod(0o644)
    store.path.parent.chmod(0o777)
    found = doctor(site_file, now)
    assert found["others can read or write the accounts (644)"] == "bad"
    assert found["others can read or write the accounts (777)"] == "bad"
    store.close()


def test_the_doctor_counts_the_days_of_the_certificate(site_file: Path) -> None:
    certificate(site_file.parent, "console")  # 30 days
    said = 'cert = "console.pem"\nkey = "console.key"\n'
    site_file.write_text(site_file.read_text("utf-8") + said, "utf-8")
    now = time.time_ns()
    for days, text, level in (
        (-10, "the console's certificate ends in 39 days", "ok"),
        (5, "the console's certificate ends in 24 days", "warn"),
        (25, "the console's certificate ends in 4 days", "bad"),
        (40, "the console's certificate ended 11 days ago", "bad"),
    ):
        assert doctor(site_file, now + days * DAY_NS) == {text: level}
    (site_file.parent / "console.key").unlink()
    assert "bad" in doctor(site_file, now).values()


def test_the_doctor_tells_of_a_network_without_certificate(site_file: Path) -> None:
    text = site_file.read_text("utf-8") + 'listen = "0.0.0.0:8443"\n'
    site_file.write_text(text, "utf-8")
    assert doctor(site_file, 0) == {"listens on a network without a certificate": "bad"}
