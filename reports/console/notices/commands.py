"""``smelter notices list | test``: who is told, and whether a notice arrives."""

from pathlib import Path
from typing import Annotated

import typer

from drivers.audit_act import Result
from drivers.language import say
from drivers.model import ConfigError
from reports.acts import record_act
from reports.console.notices.service import recipient, test
from reports.site import load_site
from reports.site_notices import Webhook

notices_app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help=say("通知：收件人、试发", "notices: recipients, a trial"),
)
SiteFile = Annotated[
    Path, typer.Option("--site", "--config", help=say("厂区配置 site.toml", "site.toml"))
]


@notices_app.command("list", help=say("列出收件人", "list the recipients"))
def list_recipients(site: SiteFile = Path("site.toml")) -> None:
    """Exit 1 when there is none."""
    found = load_site(site).console.notices
    for to in found:
        way = to.form if isinstance(to, Webhook) else f"SMTP {to.security}"
        typer.echo(f"{to.name}  {to.kind}  {to.place}  {way}  {', '.join(to.about)}  {to.lang}")
    if not found:
        told = "site.toml 中没有 [[console.notices]]", "no [[console.notices]] in site.toml"
        typer.echo(say(*told), err=True)
        raise typer.Exit(1)


@notices_app.command("test", help=say("试发一条通知", "send a trial notice"))
def send_trial(
    name: Annotated[
        str, typer.Argument(help=say("收件人名称；不写则全部", "its name; else to all"))
    ] = "",
    site: SiteFile = Path("site.toml"),
) -> None:
    """Exit 1 when one was not taken."""
    plant = load_site(site)
    if not plant.console.notices:
        told = "site.toml 中没有 [[console.notices]]", "no [[console.notices]] in site.toml"
        raise ConfigError([say(*told)])
    wanted = [recipient(plant, name)] if name else list(plant.console.notices)
    bad = 0
    for to in wanted:
        problem = test(plant, to)
        bad += bool(problem)
        typer.echo(f"{to.name}: {problem or say('对方已接收', 'taken')}")
        details = {"problem": problem} if problem else {}
        outcome: Result = "failed" if problem else "ok"
        record_act(plant, "notice.tested", to.name, result=outcome, details=details)
    if bad:
        raise typer.Exit(1)
