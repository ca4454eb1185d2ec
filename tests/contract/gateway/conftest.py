"""The unit tests' engine: real store, lanes and bus around a scripted mind."""

from __future__ import annotations

from tests.unit.engine.conftest import engine, generator, limits

__all__ = ["engine", "generator", "limits"]
