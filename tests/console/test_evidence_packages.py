"""Packages dropped in: the verdict of the command, whatever it is, and nothing kept."""

import json
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from reports.package.verify import table, verify
from tests.console.evidence_scene import HARM, Scene
from tests.reports.forging import EDITS, content, edited


@pytest.fixture(scope="module")
def officer(scene: Scene) -> httpx.Client:
    return scene.served.client("officer")


@pytest.fixture(scope="module")
def english(scene: Scene) -> httpx.Client:
    return scene.served.client("viewer", "en")


def command(package: Path, *keys: str) -> dict[str, Any]:
    """What ``smelter verify --json`` says, with its exit code."""
    found = verify(str(package), list(keys), [], latest_s=time.time() + 86_400)
    said: dict[str, Any] = json.loads(json.dumps(table(found)))
    return said | {"exit_code": found.code}


def judged(client: httpx.Client, package: Path, **more: Any) -> dict[str, Any]:
    files = [("package", (package.name, package.read_bytes()))]
    for name in ("earlier", "checkpoint"):
        files += [(name, (each.name, each.read_bytes())) for each in more.pop(name, ())]
    got = client.post("/api/v1/evidence/verify", files=files, data=more)
    assert got.status_code == 200, got.text
    found: dict[str, Any] = got.json()
    return found


def left(scene: Scene) -> list[Path]:
    """What lies in the folder of uploads."""
    folder = scene.office.data / "uploads"
    return list(folder.rglob("*")) if folder.exists() else []


def test_the_true_package_with_and_without_keys(scene: Scene, officer: httpx.Client) -> None:
    path, keys = scene.original.path, scene.original.trusted
    call = [sys.executable, "-c", "from drivers.cli import main; main()", "verify", str(path)]
    done = subprocess.run([*call, "--json"], capture_output=True, check=False)
    assert judged(officer, path) == json.loads(done.stdout) | {"exit_code": done.returncode}
    said = judged(officer, path, key="\n".join(keys))
    assert said == command(path, *keys)
    assert (said["verdict"], said["exit_code"]) == ("intact", 0)
    report = scene.office.reports / "carbon-monthly-2026-10-v1.json"
    kept = judged(officer, path, key="\n".join(keys), earlier=[report])
    assert kept["verdict"] == "intact"
    assert len(kept["proved"]) > len(said["proved"])
    assert not left(scene)


@pytest.mark.parametrize("part", range(len(EDITS)), ids=lambda part: EDITS[part].__name__)
def test_a_forged_package_gets_the_verdict_of_the_command(
    scene: Scene, officer: httpx.Client, part: int
) -> None:
    edit = edited(scene.original, random.Random(part), part)
    keys = scene.original.trusted
    said = judged(officer, edit.path, key=" ".join(keys))
    assert said["exit_code"] == 1
    assert said == command(edit.path, *keys)


def test_the_page_tells_verdict_and_place_in_both_languages(
    scene: Scene, officer: httpx.Client, english: httpx.Client
) -> None:
    edit = content(scene.original, random.Random(3))
    keys = "\n".join(scene.original.trusted)
    for client, words in ((officer, "已被改动"), (english, "Changed")):
        got = client.post(
            "/evidence/verify",
            files={"package": ("forged.zip", edit.path.read_bytes())},
            data={"key": keys},
            headers={"HX-Request": "true"},
        )
        assert got.status_code == 200, got.text
        assert words in got.text
        assert any(place in got.text for place in edit.places)
    assert not left(scene)


def test_bombs_paths_and_rubbish_get_a_verdict(
    scene: Scene, officer: httpx.Client, tmp_path: Path
) -> None:
    bomb, away, rubbish = (tmp_path / name for name in ("bomb.zip", "away.zip", "rubbish.zip"))
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.json", bytes(16 << 20))
    with zipfile.ZipFile(away, "w") as archive:
        archive.writestr("../../../etc/cron.d/harm", "x")
        archive.writestr(f"{HARM}.txt", "x")
    rubbish.write_bytes(b"\0no zip\xff" * 99)
    for path, words in ((bomb, "zip bomb"), (away, "leads out"), (rubbish, "")):
        said = judged(officer, path)
        assert said == command(path)
        assert words in said["changed"][0]["en"]
    got = officer.post("/evidence/verify", files={"package": (f"{HARM}.zip", away.read_bytes())})
    assert got.status_code == 200
    assert HARM not in got.text
    assert not left(scene)


def test_what_is_no_package_is_refused(scene: Scene, officer: httpx.Client) -> None:
    address = "/api/v1/evidence/verify"
    for answer_, status in (
        (officer.post(address, data={"key": "x"}), 415),
        (officer.post(address, files={"other": ("a.zip", b"x")}), 422),
        (officer.post(address, files={"package": ("a.exe", b"x")}), 415),
        (officer.post(address, files={"package": ("a.zip", b"")}), 422),
        (officer.post(address, files={"package": ("a.zip", bytes(21 << 20))}), 413),
    ):
        assert answer_.status_code == status, answer_.text
        assert answer_.json()["problems"]
    nobody = scene.served.nobody()
    assert nobody.post(address, files={"package": ("a.zip", b"x")}).status_code == 401
    option = judged(officer, scene.original.path, key="--checkpoint=/etc/passwd")
    assert option == command(scene.original.path, "--checkpoint=/etc/passwd")


def test_the_verifier_can_be_taken_home(officer: httpx.Client, tmp_path: Path) -> None:
    got = officer.get("/evidence/verify.py")
    assert got.headers["content-disposition"] == 'attachment; filename="verify.py"'
    program = tmp_path / "verify.py"
    program.write_bytes(got.content)
    done = subprocess.run(
        [sys.executable, "-I", program, "--help"], capture_output=True, check=True
    )
    assert b"--trusted-key" in done.stdout


def test_keys_of_this_installation_can_be_ticked(scene: Scene, officer: httpx.Client) -> None:
    page = officer.get("/evidence/keys").text
    assert all(
        key.replace("+", "&#43;") in page or key in page for key in scene.original.trusted[:1]
    )
