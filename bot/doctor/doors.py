"""What goes out and comes in: the widget, the port."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator

from bot.doctor.finding import Finding, ok, warning, wrong
from bot.doctor.setup import Setup

PATIENCE_S = 3.0


def widget(setup: Setup) -> Iterator[Finding]:
    from bot.api.site import find_widget

    yield ok(f"{find_widget() / 'kefu.js'}.")


def port(setup: Setup) -> Iterator[Finding]:
    host, number = setup.settings.host, setup.settings.port
    where = f"{host}:{number}"
    if not number:
        yield ok("a free one is taken at the start.")
    elif not _is_here(host):
        yield wrong(f"{host} is no address of this machine.", "Check KEFU_HOST.")
    elif not _is_taken(host, number):
        yield from _free(setup, where)
    elif _is_ours(setup):
        yield ok(f"a Kefu answers at {where}.")
    else:
        yield wrong(
            f"another program has {where}.", "Choose another one: KEFU_PORT, or --port of `kefu serve`."
        )


def _free(setup: Setup, where: str) -> Iterator[Finding]:
    if setup.served():
        hint = "It was given another one, or it is still starting: see its log."
        yield warning(f"a server runs on this home, but not at {where}.", hint)
    else:
        yield ok(f"{where} is free.")


def _is_here(host: str) -> bool:
    """Tried with a port of the system's choice: the real one is left alone, in case a server wants it now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _is_taken(host: str, number: int) -> bool:
    try:
        socket.create_connection((_near(host), number), timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True


def _is_ours(setup: Setup) -> bool:
    """By the policy that each of a Kefu's answers carries, whatever its pages and channels are."""
    from bot.api.site import CSP

    settings = setup.settings
    link = http.client.HTTPConnection(_near(settings.host), settings.port, timeout=PATIENCE_S)
    try:
        link.request("HEAD", "/")
        return link.getresponse().headers["Content-Security-Policy"] == CSP
    except (OSError, http.client.HTTPException):  # what is not ours may answer anything, or nothing
        return False
    finally:
        link.close()


def _near(host: str) -> str:
    """Where a server that listens everywhere is reached."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
