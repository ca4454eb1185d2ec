"""What a wheel carries beside the Python packages: the widget, where `make web` has built it.

Loaded by hatchling alone, from pyproject.toml; it is no module of Kefu's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WIDGET = "web/dist/widget"
PLACE = "bot/static/widget"
"""Where `bot.api.site.find_widget` looks first."""


class WidgetHook(BuildHookInterface[BuilderConfig]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install reads the checkout's own; a wheel without a widget is said aloud."""
        if version == "editable":
            return
        built = Path(self.root, WIDGET)
        if (built / "kefu.js").is_file():
            build_data["force_include"][str(built)] = PLACE
        else:
            self.app.display_warning(
                f"{WIDGET} is not built: this wheel serves no chat page. Run `make web`."
            )
