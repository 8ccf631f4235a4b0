"""``smelter serve``: the web console."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from drivers.language import say


def serve(
    config: Annotated[
        Path, typer.Option("--config", "--site", help=say("厂区配置 site.toml", "site.toml"))
    ] = Path("site.toml"),
    listen: Annotated[str, typer.Option(help=say("监听 主机:端口", "host:port to listen on"))] = "",
) -> None:
    """Serve the console until stopped; SIGHUP loads a renewed certificate."""
    import logging

    from reports.console.app import build_app
    from reports.console.doors.listener import open_listener
    from reports.console.serving import run
    from reports.site import load_site

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")
    listener = open_listener(load_site(config).console, listen)
    app = build_app(config)
    if not app.state.guard.store.administrators():
        sys.stderr.write(
            say(
                "还没有管理员，无人可以登录；请运行：\n",
                "there is no administrator, so nobody can log in; run:\n",
            )
            + f"  smelter users add NAME --role administrator --config {config}\n"
        )
    sys.stdout.write(f"{listener.url}\n")
    sys.stdout.flush()
    run(app, listener)
