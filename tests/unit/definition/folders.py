"""Bot folders for tests."""

from __future__ import annotations

from pathlib import Path

BOT = "name: {en: Ann, zh: 小安}\nwelcome: {en: Hi, zh: 您好}\n"
"""A valid bot.yml of two lines."""


def folder(root: Path, **files: str) -> Path:
    """`bot=`, `intents=`, `responses=` are YAML; bot.yml is `BOT` unless given."""
    for name, text in {"bot": BOT, **files}.items():
        (root / f"{name}.yml").write_text(text, encoding="utf-8")
    return root


def knowledge(root: Path, name: str, text: str) -> Path:
    path = root / "knowledge" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
