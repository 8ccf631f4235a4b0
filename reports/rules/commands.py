"""``smelter rules list | show | check | template | absent``: the law the reports stand on."""

import json
from collections.abc import Iterable, Mapping
from datetime import date
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from drivers.language import plural, say
from drivers.model import ConfigError
from reports.acts import record_act, trail_of
from reports.entries.commands import speak
from reports.periods import plant_now
from reports.rules.block import block
from reports.rules.listing import (
    absent_table,
    absent_text,
    checked_text,
    in_force,
    list_table,
    list_text,
    show_table,
    show_text,
    summary_text,
)
from reports.rules.overlay import Overlay, load_packs, read_overlays
from reports.rules.packs import Confirmed, RulePack, Stretch, packs
from reports.rules.units import value_text
from reports.site import Site, load_site

rules_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say(
        "法规参数：列表、查看、检查补充规则、填写模板、缺失项",
        "rule values: list, show, check overlays, template, what is absent",
    ),
)
SiteFile = Annotated[
    Path | None,
    typer.Option("--site", help=say("厂区配置；计入其补充规则", "site.toml; counts its overlays")),
]
Day = Annotated[
    str, typer.Option("--on", help=say("哪一天，默认今天", "a day; today if not given"))
]
AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
Lang = Annotated[str, typer.Option(help="zh | en")]
Name = Annotated[
    str,
    typer.Argument(
        help=say(
            "包名.参数名，或唯一的参数名；grade：绩效分级指标表",
            "pack.parameter, or its name alone; grade: of an indicator table",
        )
    ),
]


@rules_app.command("list", help=say("列出全部参数", "list every parameter"))
def list_rules(
    *,
    pack: Annotated[str, typer.Option(help=say("只列一个包", "one pack only"))] = "",
    on: Day = "",
    site: SiteFile = None,
    summary: Annotated[
        bool, typer.Option("--summary", help=say("只列各包的数量", "only how many of each"))
    ] = False,
    as_json: AsJson = False,
    lang: Lang = "",
) -> None:
    """Value, confirmation, start date."""
    speak(lang)
    grade = _grade()
    if _of_grade(pack):
        tables = grade.known(_site(site))
        if summary or pack == "grade":
            _print(grade.summary_text(tables))
            return
        table = grade.find(tables, pack)
        _print(grade.table_json(table) if as_json else grade.list_text(table), as_json=as_json)
        return
    found, day = _packs(site), _day(on)
    if pack:
        found = {pack: _pack(found, pack)}
    if summary:
        _print(summary_text(found))
        return
    _print(list_table(found, day) if as_json else list_text(found, day), as_json=as_json)


@rules_app.command(help=say("查看一个参数及其历史", "one parameter and its history"))
def show(
    name: Name, *, on: Day = "", site: SiteFile = None, as_json: AsJson = False, lang: Lang = ""
) -> None:
    """Exit 1 when it has no value on that day."""
    speak(lang)
    if _of_grade(name):
        _print(_grade().show_text(_grade().known(_site(site)), name))
        return
    pack, parameter = _named(_packs(site), name)
    day = _day(on or name.partition("@")[2])  # the id of a report ends with the day
    _print(
        show_table(pack, parameter, day) if as_json else show_text(pack, parameter, day),
        as_json=as_json,
    )
    if in_force(pack, parameter, day) is None:
        raise typer.Exit(1)


@rules_app.command(help=say("检查补充规则文件", "check overlay files"))
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help=say("补充规则文件", "overlay files"))
    ] = None,
    *,
    site: SiteFile = None,
    lang: Lang = "",
) -> None:
    """Every mistake at once, exit 2; else who checked what."""
    speak(lang)
    if (site is None) == (not files):
        raise ConfigError(
            [
                say(
                    "请给出补充规则文件，或 --site site.toml",
                    "give overlay files, or --site site.toml",
                )
            ]
        )
    given = None if site is None else load_site(site)
    listed = list(files or ()) if given is None else [*given.overlays, *given.grade.tables]
    tables = [file for file in listed if _grade().is_own_table(file)]
    read = read_overlays([file for file in listed if file not in tables])
    _print(_grade().check(tables))
    for overlay in read:
        count = len(overlay.stretches)
        typer.echo(
            say(
                f"{overlay.path}：{count} 个取值，无误",
                f"{overlay.path}: {count} value{plural(count)}, no mistake",
            )
        )
        for stretch in overlay.stretches:
            _print(_laid(stretch))
        if given is not None:
            _noted(given, overlay)
    if not listed:
        typer.echo(say("没有补充规则", "there are no overlays"))


def _noted(site: Site, overlay: Overlay) -> None:
    """Who signed what is in force from now on; once for each content of the file."""
    trail = trail_of(site)
    if any(
        each.act.what == "rules.signed" and each.act.details.get("sha256") == overlay.digest
        for each in trail.read()
    ):
        return
    signers = sorted({checked_text(x.legal.overlay) for x in overlay.stretches if x.legal.overlay})
    details = {"sha256": overlay.digest, "checked": "; ".join(signers)}
    record_act(site, "rules.signed", overlay.path.name, details=details)


def _laid(stretch: Stretch) -> Iterable[str]:
    legal = stretch.legal
    shown = value_text(legal.value, legal.unit, say("zh", "en"))
    yield f"  {legal.id} = {shown}"
    own = in_force(packs()[legal.pack], legal.name, legal.applies_from)
    if own is not None:
        before = value_text(own.value, own.unit, say("zh", "en"))
        yield "    " + say(f"原为 {before}（{own.confirmed}）", f"was {before} ({own.confirmed})")
    if legal.overlay is not None:
        yield f"    {checked_text(legal.overlay)}"


@rules_app.command(help=say("写出待填的补充规则条目", "write an overlay block to fill in"))
def template(
    name: Name,
    table: Annotated[
        str,
        typer.Argument(
            help=say("写 grade 时：绩效分级指标表", "after the word grade: an indicator table")
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(
            help=say(
                "写到此文件（指标表可为 .xlsx）；不写则显示",
                "file, .xlsx for an indicator table; shown if not given",
            )
        ),
    ] = None,
    *,
    on: Day = "",
    lang: Lang = "",
) -> None:
    """The file must not exist yet."""
    speak(lang)
    if _of_grade(name):
        grade = _grade()
        _new(grade.template(grade.find(grade.known(None), table or name), out), out)
        return
    pack, parameter = _named(packs(), name)
    day = _day(on)
    own = in_force(pack, parameter, day)
    official = own is not None and own.confirmed is Confirmed.OFFICIAL
    text = block(pack.wanted(parameter), day, replaces_official=official)
    _new(text, out)


@rules_app.command(
    help=say("尚无人读到的参数，及应打开的文件", "what nobody could read, and where")
)
def absent(
    *, on: Day = "", site: SiteFile = None, as_json: AsJson = False, lang: Lang = ""
) -> None:
    """Grouped by the text to open."""
    speak(lang)
    found, day = _packs(site), _day(on)
    _print(absent_table(found, day) if as_json else absent_text(found, day), as_json=as_json)
    if not as_json:
        _print(_grade().absent_text(_grade().known(_site(site))))


def _new(content: str | bytes, out: Path | None) -> None:
    """Write a file that must not exist yet, or show the text."""
    if out is None:
        typer.echo(content, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.open("xb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
    except FileExistsError:
        raise ConfigError(
            [
                f"{out}: "
                + say(
                    "已存在，不覆盖；不写 --out 则显示条目，可自行粘贴",
                    "exists already, not overwritten; without --out the block is shown",
                )
            ]
        ) from None
    except OSError as error:
        raise ConfigError([f"{out}: {error.strerror}"]) from None
    typer.echo(str(out))


def _of_grade(name: str) -> bool:
    """True where an indicator table of the grading is meant, not a value of a pack."""
    return name == "grade" or name.startswith("grade.")


def _grade() -> ModuleType:
    """The room of the grading stands above this one; it is met by name."""
    return import_module("reports.grade.listing")


def _site(site: Path | None) -> Site | None:
    return None if site is None else load_site(site)


def _packs(site: Path | None) -> Mapping[str, RulePack]:
    return packs() if site is None else load_packs(load_site(site))


def _day(text: str) -> date:
    if not text:
        return plant_now().date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError([f"--on {text}: 2026-10-05"]) from None


def _pack(known: Mapping[str, RulePack], name: str) -> RulePack:
    if name not in known:
        names = ", ".join(known)
        raise ConfigError([say(f"没有包 {name!r}；有：{names}", f"no pack {name!r}: {names}")])
    return known[name]


def _named(known: Mapping[str, RulePack], name: str) -> tuple[RulePack, str]:
    """The parameter meant. Raises ConfigError that lists what is near."""
    ids = [f"{pack.name}.{key}" for pack in known.values() for key in pack.parameters]
    bare = name.partition("@")[0]
    meant = [bare] if bare in ids else [each for each in ids if each.partition(".")[2] == bare]
    if len(meant) == 1:
        pack, _, parameter = meant[0].partition(".")
        return known[pack], parameter
    near = meant or get_close_matches(bare, [*ids, *(i.partition(".")[2] for i in ids)], n=5)
    shown = ", ".join(dict.fromkeys(near)) or say(
        "smelter rules list 列出全部", "smelter rules list"
    )
    raise ConfigError(
        [
            say(f"{name!r} 有多个，请写全名：{shown}", f"{name!r} is in several packs: {shown}")
            if meant
            else say(f"没有参数 {name!r}；相近：{shown}", f"no parameter {name!r}; near: {shown}")
        ]
    )


def _print(what: object, *, as_json: bool = False) -> None:
    if as_json:
        typer.echo(json.dumps(what, ensure_ascii=False, indent=1))
    elif isinstance(what, Iterable):
        for line in what:
            typer.echo(line)
