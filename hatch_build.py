"""Put data and notebooks inside the wheel; an editable install uses those of the source tree."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShippedFiles(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"] |= {name: f"zjtx_alloc/{name}" for name in ("data", "notebooks")}
