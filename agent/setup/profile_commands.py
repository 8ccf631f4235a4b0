"""``smelter agent profiles``: the register maps that come along, and how sure each is."""

import json
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say
from drivers.model import ConfigError
from drivers.profiles import KINDS, LEVELS_SAID, Profile, profiles


def list_profiles(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help=say("只看一个，附全部量", "one, with all of it"))
    ] = "",
    *,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help=say("另一个目录中的 profile", "profiles of another folder")),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))] = False,
) -> None:
    """Exit code 2 for a name that is not there."""
    found = profiles(folder)
    if name:
        known = ", ".join(profile.name for profile in found)
        found = [profile for profile in found if profile.name == name]
        if not found:
            raise ConfigError([say(f"没有 {name}；有：{known}", f"no {name}; there are: {known}")])
    if as_json:
        said = [profile.as_json() for profile in found]
        typer.echo(json.dumps(said, ensure_ascii=False, indent=1))
        return
    for profile in found:
        typer.echo("\n".join(_lines(profile, whole=bool(name))))


def _lines(profile: Profile, *, whole: bool) -> list[str]:
    kind, level = say(*KINDS[profile.kind]), say(*LEVELS_SAID[profile.confirmed])
    lines = [f"{profile.name}  [{kind}]  {profile.said(profile.title)}", f"    {level}"]
    if whole:
        lines += [
            f"    {say('出处', 'source')}: {profile.said(profile.manual)}",
            f"    {profile.said(profile.note)}",
            f"    {profile.path}",
            *(f"    - {quantity}" for quantity in profile.quantities),
        ]
    return lines
