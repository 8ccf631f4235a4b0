"""Which files belong to an installation: those a config names, and those below a data folder."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from drivers.keeping import Member
from drivers.tomlfile import read_tables

SECRET_KEYS = frozenset({"key", "password_file", "token_file", "key_file", "pw_file"})
_SECRET_NAMES = (".key", "key.pem", ".p12", ".pfx")  # how the name of a private key ends
_ARMOUR = re.compile(rb"^-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----", re.MULTILINE)
MOST_SECRET = 1 << 20  # bytes; a key is small
FOLDER_KEYS = frozenset({"trust"})
ELSEWHERE = "elsewhere"  # below etc/: what the config names outside of its own folder
_PASSING = (".new", ".tmp", ".part", ".lock")
_OURS = frozenset({"lock", "reserve", ".writer", ".reading", ".staging"})


def config_members(config: Path, leave: Iterable[Path] = ()) -> Iterator[Member]:
    """The config and every file it names, and those that a named TOML names in turn."""
    yield Member(f"etc/{config.name}", config)
    hidden, done = secrets_of(config), {config.resolve(), *(each.resolve() for each in leave)}
    for at, value, path, _ in _all_named(config):
        if path.resolve() not in done:
            done.add(path.resolve())
            place = f"etc/{_place(config, at, value, path)}"
            yield Member(place, path, secret=path.resolve() in hidden)


def secrets_of(config: Path) -> frozenset[Path]:
    """Where the secrets really lie that the config names, in whatever folder."""
    return frozenset(path.resolve() for _, _, path, secret in _all_named(config) if secret)


def _all_named(config: Path) -> Iterator[tuple[Path, str, Path, bool]]:
    """What ``named`` says of the config and of each TOML that is named, and where it stands."""
    done, waiting = {config.resolve()}, [config]
    while waiting:
        at = waiting.pop()
        for value, path, secret in named(at):
            yield at, value, path, secret
            if path.suffix == ".toml" and path.resolve() not in done:
                done.add(path.resolve())
                waiting.append(path)


def named(config: Path) -> Iterator[tuple[str, Path, bool]]:
    """What the text says, the file it means, and whether that is a secret."""
    for key, value in _strings(read_tables(config)):
        path = config.parent / value
        try:
            mode = path.stat().st_mode if value and "\n" not in value else 0
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(mode):
            yield value, path, key in SECRET_KEYS or is_secret(path)
        elif stat.S_ISDIR(mode) and key in FOLDER_KEYS:
            for each in sorted(path.rglob("*")):
                if each.is_file():
                    yield value, each, is_secret(each)


def named_secret(name: str) -> bool:
    """Does the name of a file say that a private key is in it?"""
    return name.endswith(_SECRET_NAMES)


def holds_key(content: bytes) -> bool:
    """Is there a private key in PEM in it?"""
    return _ARMOUR.search(content) is not None


def is_secret(path: Path) -> bool:
    """By its name, or by what is in it; what this user may not read cannot be backed up anyway."""
    if named_secret(path.name):
        return True
    try:
        if path.stat().st_size > MOST_SECRET:
            return False
        return holds_key(path.read_bytes())
    except OSError:
        return False


def _strings(table: object, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(table, str):
        yield key, table
    elif isinstance(table, Mapping):
        for name, value in table.items():
            yield from _strings(value, str(name))
    elif isinstance(table, list):
        for value in table:
            yield from _strings(value, key)


def _place(config: Path, at: Path, value: str, path: Path) -> str:
    """Below ``etc/``: where it lies beside the config, or in ``elsewhere/``."""
    inside = os.path.relpath(path, config.parent)
    if not inside.startswith("..") and not Path(value).is_absolute():
        return inside
    return elsewhere(value if at == config else str(path), path.name)


def elsewhere(value: str, name: str) -> str:
    """The place of a file that the config names by ``value``, outside of its own folder."""
    return f"{ELSEWHERE}/{hashlib.sha256(value.encode()).hexdigest()[:8]}-{name}"


def settle_names(config: Path) -> None:
    """Let a restored config name its files where they are now."""
    text = config.read_text("utf-8")
    for _key, value in _strings(read_tables(config)):
        place = elsewhere(value, Path(value).name)
        if (config.parent / place).exists():
            text = text.replace(f'"{value}"', f'"{place}"')
    config.write_text(text, "utf-8")


def data_members(
    folder: Path,
    leave: Iterable[Path] = (),
    place: str = "data",
    secrets: frozenset[Path] = frozenset(),
) -> Iterator[Member]:
    """
    Every file below, but for locks, files being made and ``leave``.

    Secret is what looks like a private key, and what ``secrets`` (resolved) names. A chain's
    ``.head`` comes before its chain, which may meanwhile grow but never shrink.
    """
    left = {each.absolute() for each in leave}
    if not folder.exists():
        return
    for at, folders, names in os.walk(folder):
        here = Path(at)
        folders[:] = sorted(
            each for each in folders if each not in _OURS and (here / each).absolute() not in left
        )
        for name in sorted(names, key=lambda each: (not each.endswith("head"), each)):
            path = here / name
            if name in _OURS or name.endswith(_PASSING) or path.absolute() in left:
                continue
            lines = name.endswith(".jsonl")  # ours, and never a key
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    continue
            except FileNotFoundError:  # retention, or a joined piece
                continue
            hidden = path.resolve() in secrets or (not lines and is_secret(path))
            where = f"{place}/{path.relative_to(folder)}"
            yield Member(where, path, secret=hidden, whole_lines=lines)
