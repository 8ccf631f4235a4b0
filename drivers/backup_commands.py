"""``smelter backup`` and ``smelter restore``."""

import json
import time
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from drivers.audit import AuditTrail, current_person, note_act
from drivers.audit_config import trail_of
from drivers.backup import Manifest, Part, write_backup
from drivers.classes import KINDS, ClassRules, Wish, permit, rules_of
from drivers.keeping import Keeper, keeper_of, keepers
from drivers.language import say
from drivers.model import ConfigError, DataClass
from drivers.quantities import quantities
from drivers.restore import faults, open_keys, opened
from drivers.restore import restore as put_back
from drivers.sealed import opener, read_passphrase, sealer

AsJson = Annotated[bool, typer.Option("--json", help=say("输出 JSON", "print JSON"))]
Passphrase = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help=say("密钥的加密口令（权限 0600）", "passphrase of the keys (mode 0600)"),
    ),
]

Digest = Annotated[
    str,
    typer.Option(
        "--manifest-sha256",
        help=say(
            "须为此清单（审计日志 backup.made 所记）",
            "it must be this one, as backup.made in the audit trail says",
        ),
    ),
]


def backup(  # noqa: PLR0913 - each is an option of the command
    configs: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…",
            help=say(
                "gateway.toml、historian.toml、site.toml 中的任意几个；--check 时为备份文件",
                "any of gateway.toml, historian.toml, site.toml; with --check: backups",
            ),
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help=say("备份文件 X.smelter", "the backup, X.smelter"))
    ] = None,
    passphrase: Passphrase = None,
    approved_by: Annotated[
        str, typer.Option("--approved-by", help=say("批准人", "who approves that data leave"))
    ] = "",
    reason: Annotated[str, typer.Option("--why", help=say("理由", "why"))] = "",
    manifest_sha256: Digest = "",
    *,
    with_keys: Annotated[
        bool,
        typer.Option("--with-keys", help=say("加密后包含私钥", "private keys too, sealed")),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help=say("校验备份：全部哈希与哈希链", "all hashes and chains")),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Exit code 1: with --check, something in the backup is not what was written."""
    if check:
        _check(configs, manifest_sha256, as_json=as_json)
        return
    if out is None:
        raise ConfigError([say("请用 --out X.smelter 指定备份文件", "name the backup: --out FILE")])
    seal = sealer(read_passphrase(passphrase)) if with_keys else None
    found = [(path, *keeper_of(path)) for path in configs]
    names = [keeper.name(path) for path, _, keeper in found]
    if len(set(names)) < len(names):
        told = say("两个配置属于同一对象", "two configs of the same thing")
        raise ConfigError([f"{told}: {', '.join(names)}"])
    held = [name for name in KINDS if name != "keys" or with_keys]
    rules = rules_of(*configs)
    highest = rules.highest([*quantities(), *held])
    wish = Wish("backup", str(out), approved_by, reason)
    trails = [trail_of(path) for path in configs]
    details = _permitted(rules, highest, wish, trails)
    began = time.monotonic()
    parts = [
        Part(keeper.name(path), kind, path, keeper.members(path), str(highest))
        for path, kind, keeper in found
    ]
    manifest, digest = write_backup(out, parts, by=current_person(), why=reason, seal=seal)
    details |= {"manifest_sha256": digest, "bytes": str(manifest.size)}
    for trail in trails:
        note_act(trail, "backup.made", str(out), reason=reason, details=details)
    _told(out, manifest, digest, time.monotonic() - began, as_json=as_json)


def _permitted(
    rules: ClassRules, highest: DataClass, wish: Wish, trails: list[AuditTrail]
) -> dict[str, str]:
    """Refusals are recorded as well."""
    try:
        return permit(rules, highest, wish, date.today())  # noqa: DTZ011 - the day of this office
    except ConfigError:
        for trail in trails:
            note_act(trail, "backup.made", wish.name, reason=wish.why, result="refused")
        raise


def _told(out: Path, manifest: Manifest, digest: str, took_s: float, *, as_json: bool) -> None:
    if as_json:
        table = {
            "backup": str(out),
            "files": len(manifest.files),
            "bytes": manifest.size,
            "manifest_sha256": digest,
            "left_out": manifest.left_out,
            "vanished": manifest.vanished,
            "seconds": round(took_s, 3),
        }
        typer.echo(json.dumps(table, ensure_ascii=False))
        return
    typer.echo(
        say(
            f"{out}：{len(manifest.files)} 个文件，{manifest.size:,} 字节，{took_s:.1f} 秒\n"
            f"清单 SHA-256：{digest}",
            f"{out}: {len(manifest.files)} files, {manifest.size:,} bytes, {took_s:.1f} s\n"
            f"SHA-256 of the manifest: {digest}",
        )
    )
    if manifest.vanished:
        count, first = len(manifest.vanished), ", ".join(manifest.vanished[:3])
        typer.echo(
            say(
                f"备份期间有 {count} 个文件被删除（保存期限或合并），未包含：{first}",
                f"{count} files were deleted meanwhile (retention, or joined to another) and are "
                f"not in it: {first}",
            )
        )
    if manifest.left_out:
        count = len(manifest.left_out)
        typer.echo(
            say(
                f"未包含 {count} 个密钥或口令文件；没有它们，恢复后须人工确认新密钥"
                "（--with-keys 加密包含）",
                f"{count} keys or passwords are not in it; without them a person must vouch for "
                "new keys after a restore (--with-keys seals them in)",
            )
        )


def _check(files: list[Path], digest: str, *, as_json: bool) -> None:
    known, told, wrong = keepers(), [], 0
    bare: list[str] = []
    for path in files:
        with opened(path) as found:
            found.must_be(digest)
            problems = list(faults(found, known))
            wrong += len(problems)
            bare += (keys := [] if problems else open_keys(found))
            told.append(
                {
                    "manifest_sha256": found.digest,
                    "open_keys": keys,
                    "backup": str(path),
                    "made": found.manifest.made,
                    "files": len(found.manifest.files),
                    "bytes": found.manifest.size,
                    "problems": problems,
                }
            )
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        for each in told:
            typer.echo(
                say(
                    f"{each['backup']}：{each['made']}，{each['files']} 个文件，"
                    f"{each['bytes']:,} 字节\n清单 SHA-256：{each['manifest_sha256']}",
                    f"{each['backup']}: made {each['made']}, {each['files']} files, "
                    f"{each['bytes']:,} bytes\n"
                    f"SHA-256 of the manifest: {each['manifest_sha256']}",
                )
            )
            for problem in each["problems"]:  # type: ignore[attr-defined]
                typer.echo(f"  ✗ {problem}")
        if not wrong:
            typer.echo(say("哈希与哈希链全部相符", "every hash and every chain is right"))
        _bare(bare)
    raise typer.Exit(1 if wrong else 0)


def _trail(keeper: Keeper, config: Path) -> AuditTrail | Path:
    """With the limits of its config, where they are right: all is in its place already."""
    try:
        return trail_of(config)
    except ConfigError:
        return keeper.audit(config)


def _bare(keys: list[str]) -> None:
    """What to do about private keys that an earlier version left unsealed in a backup."""
    if keys:
        names = ", ".join(keys[:5])
        typer.echo(
            say(
                f"! 其中有 {len(keys)} 个未加密的私钥（{names}）：凡能读到此备份者都可能已得到；"
                "请更换这些密钥、吊销其证书，并销毁此备份",
                f"! {len(keys)} private keys lie in it unsealed ({names}): whoever could read this "
                "file may have them; make new ones, revoke their certificates, destroy the file",
            )
        )


def restore(
    file: Annotated[Path, typer.Argument(metavar="X.smelter")],
    to: Annotated[
        Path, typer.Option("--to", help=say("空目录，或尚不存在", "an empty folder, or a new one"))
    ],
    passphrase: Passphrase = None,
    manifest_sha256: Digest = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Every byte is checked first; nothing that is there already is touched."""
    known, began = keepers(), time.monotonic()
    unseal = opener(read_passphrase(passphrase)) if passphrase else None
    with opened(file) as found:
        found.must_be(manifest_sha256)
        problems = list(faults(found, known))
        if problems:
            raise ConfigError(problems)
        bare = open_keys(found)
        sealed = [each.place for each in found.manifest.files if each.sealed]
        folders = put_back(found, to, known, unseal)
        manifest = found.manifest
    parts = manifest.parts.items()
    configs = {name: folders[name] / "etc" / part["config"] for name, part in parts}
    for name, part in parts:
        if (keeper := known.get(part["kind"])) is not None:
            details = {"backup": str(file), "made": manifest.made, "to": str(folders[name])}
            details["manifest_sha256"] = found.digest
            note_act(_trail(keeper, configs[name]), "backup.restored", name, details=details)
    took_s = time.monotonic() - began
    lacking = [*manifest.left_out, *(sealed if unseal is None else [])]
    if as_json:
        table = {
            "restored": {name: str(path) for name, path in configs.items()},
            "files": len(manifest.files),
            "bytes": manifest.size,
            "manifest_sha256": found.digest,
            "open_keys": bare,
            "keys_lacking": lacking,
            "seconds": round(took_s, 3),
        }
        typer.echo(json.dumps(table, ensure_ascii=False))
        return
    typer.echo(
        say(
            f"已恢复 {len(manifest.files)} 个文件，{manifest.size:,} 字节，{took_s:.1f} 秒",
            f"{len(manifest.files)} files restored, {manifest.size:,} bytes, {took_s:.1f} s",
        )
    )
    for name, path in configs.items():
        typer.echo(f"  {name}: {path}")
    _bare(bare)
    if lacking:
        typer.echo(
            say(
                f"! 缺少 {len(lacking)} 个密钥或口令文件："
                + "、".join(lacking[:5])
                + "；请放回后再启动，否则须人工确认新密钥（见 docs/keeping.md）",
                f"! {len(lacking)} keys or passwords are lacking: "
                + ", ".join(lacking[:5])
                + "; put them back before you start, or vouch for new ones (docs/keeping.md)",
            )
        )
