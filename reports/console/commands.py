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
    """Serve the console until stopped."""
    import uvicorn

    from reports.console.app import build_app
    from reports.site import load_site

    host, _, port = (listen or load_site(config).console.listen).rpartition(":")
    sys.stdout.write(f"http://{host}:{port}/\n")
    uvicorn.run(build_app(config), host=host, port=int(port), log_level="warning")
