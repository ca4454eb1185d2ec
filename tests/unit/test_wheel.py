"""A wheel of this checkout has all that a server reads, the widget too."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOMS, ROOT

FILES = ("pyproject.toml", "README.md", "LICENSE", "deploy/hatch_build.py")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    for room in ROOMS:
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (root / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root


def wheel(checkout: Path) -> zipfile.ZipFile:
    """Built without the network and without an environment of its own."""
    command = [sys.executable, "-m", "pip", "wheel", str(checkout), "--wheel-dir", str(checkout.parent)]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    done = subprocess.run([*command, *offline], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [made] = checkout.parent.glob("kefu-*.whl")
    return zipfile.ZipFile(made)


def test_a_wheel_carries_the_widget_where_the_server_looks(checkout: Path, tmp_path: Path) -> None:
    widget = checkout / "web" / "dist" / "widget" / "kefu.js"
    widget.parent.mkdir(parents=True)
    widget.write_text("// the widget")
    with wheel(checkout) as made:
        made.extractall(tmp_path / "site")
    code = "from bot.api.site import find_widget; print((find_widget() / 'kefu.js').read_text())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "site", capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("// the widget\n", "")
    assert (tmp_path / "site" / "bot" / "static" / "widget" / "kefu.js").is_file()
    assert (tmp_path / "site" / "bot" / "cli" / "template" / "knowledge" / "faq.zh.jsonl").is_file()
    assert (tmp_path / "site" / "bot" / "api" / "plain" / "index.html").is_file()


def test_a_wheel_without_a_widget_is_still_one(checkout: Path) -> None:
    with wheel(checkout) as made:
        names = made.namelist()
    assert "bot/store/migrations/versions/0001_first.py" in names
    assert [name for name in names if name.startswith("bot/static/")] == []
