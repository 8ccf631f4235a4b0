"""
The one reader of secrets: files only their owner can read, systemd credentials, environment.

A config names where a secret is, never the secret: ``password_file = "mqtt.password"`` (mode 0600),
``"credential:mqtt.password"`` ($CREDENTIALS_DIRECTORY) or ``"env:SMELTER_MQTT_PASSWORD"``. What is
wrong with it is said without the words that stand there: they may be the secret itself.
"""

import errno
import logging
import os
import stat
from pathlib import Path

from drivers.language import say, why
from drivers.model import ConfigError

CREDENTIAL, VARIABLE = "credential:", "env:"
MOST_BYTES = 65536
GIVEN = Path("/run/credentials")  # systemd: a folder for each running service, for its user alone
# Of a file that is not there only such names are printed: a password may have a dot in it too.
SUFFIXES = (".password", ".passwd", ".token", ".secret", ".key", ".pem", ".txt")


class OpenKeyError(PermissionError):
    """A private key that others can read; nothing is done with it."""


class ServiceOnlyError(ConfigError):
    """Only the service itself is given this credential, and while it runs."""


def read_secret(place: Path) -> str:
    """The text without spaces and line breaks around it. Raises ConfigError saying what to do."""
    if place.name.startswith(VARIABLE):
        return _of_environment(place.name.removeprefix(VARIABLE))
    path = place
    if place.name.startswith(CREDENTIAL):
        path = _credential(place.name.removeprefix(CREDENTIAL))
    try:
        with path.open("rb") as file:
            trouble = open_to_others(path, os.fstat(file.fileno()).st_mode)
            content = file.read(MOST_BYTES)
    except OSError as error:
        raise ConfigError([f"{_shown(path)}: {why(error)}"]) from None
    if trouble:
        raise ConfigError([trouble])
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: " + say("不是 UTF-8 文本", "is no UTF-8 text")]) from None
    if not text:
        raise ConfigError([f"{path}: " + say("文件为空", "is empty")])
    return text


def secret_trouble(place: Path) -> str:
    """Why it cannot be read, "" when it can, or when only the service can: then that is logged."""
    try:
        read_secret(place)
    except ServiceOnlyError as error:
        logging.getLogger(__name__).warning("%s", error)
    except ConfigError as error:
        return "; ".join(error.problems)
    return ""


def only_given(path: Path) -> bool:
    """Whether this is a file of a running service, and whoever asks is not that service: logged."""
    only = GIVEN in path.parents and "INVOCATION_ID" not in os.environ
    if only:
        told = say(
            "只有运行中的服务才有，此处未检查", "only the running service has it: not checked"
        )
        logging.getLogger(__name__).warning("%s: %s", path, told)
    return only


def _of_environment(name: str) -> str:
    text = os.environ.get(name, "").strip()
    if not text:
        told = say(f"环境变量 {name} 未设置", f"the environment variable {name} is not set")
        raise ConfigError([told])
    return text


def _credential(name: str) -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not folder and "/" not in name and "INVOCATION_ID" not in os.environ:  # no service
        for path in sorted(GIVEN.glob(f"smelter-*.service/{name}")):
            if os.access(path, os.R_OK):
                return path
        told = say(
            f"凭据 {name} 只有运行中的服务才有（单元中 LoadCredential={name}:文件），此处未检查",
            f"only the running service has the credential {name} (LoadCredential={name}:FILE in "
            "its unit): not checked here",
        )
        raise ServiceOnlyError([told])
    if not folder or "/" in name:
        told = say(
            f"凭据 {name} 不可用：请在 systemd 单元中写 LoadCredential={name}:文件",
            f"the credential {name} is not there: write LoadCredential={name}:FILE in the unit",
        )
        raise ConfigError([told])
    return Path(folder) / name


def open_to_others(path: Path, mode: int | None = None) -> str:
    """What is wrong with a file that others can read, "" for none. Raises OSError: not there."""
    bits = stat.S_IMODE(path.stat().st_mode if mode is None else mode)
    if not bits & 0o077 or _given_by_systemd(path):
        return ""
    return say(
        f"{path}：权限 {bits:04o}，他人可读；请执行 chmod 600 {path}，并更换其中的密码或密钥",
        f"{path}: mode {bits:04o}, others can read it; run chmod 600 {path} and change what is "
        "in it",
    )


def refuse_open_key(path: Path) -> None:
    """Before a private key is loaded. Raises OpenKeyError when others can read it."""
    if trouble := open_to_others(path):
        raise OpenKeyError(errno.EACCES, trouble)


def _given_by_systemd(path: Path) -> bool:
    """Systemd lets only the unit in, by an access list that shows as a mode of 0440."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    return GIVEN in path.parents or (bool(folder) and path.parent == Path(folder))


def _shown(path: Path) -> str:
    """The path, unless it may be that somebody wrote the secret there in place of a file."""
    try:
        there = path.exists()
    except OSError:
        there = False  # too long for a name, for instance
    if there or path.suffix in SUFFIXES:
        return str(path)
    return str(path.parent / say("（此处应为文件名，不写密码本身）", "(a file, not the secret)"))
