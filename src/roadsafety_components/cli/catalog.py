"""``roadsafety list``: the steps with their inputs and outputs."""

import json

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding


def list_steps() -> None:
    """Show every step with its inputs and outputs, and every pipeline."""
    from roadsafety_components.packaging.paths import specs_folder

    catalog = json.loads((specs_folder() / "catalog.json").read_text(encoding="utf-8"))
    console = Console(highlight=False)
    for step in (s for s in catalog["steps"] if s["packaging"] == "lightweight"):
        console.print(f"[bold]{step['name']}[/bold]  {step['version']}, {step['stability']}")
        console.print(Padding(escape(step["description"].split("\n\n")[0]), (0, 0, 0, 2)))
        for side, arrow in (("inputs", "<-"), ("outputs", "->")):
            for port in step[side]:
                fallback = port.get("default")
                needed = " (required)" if port.get("required") else "" if fallback in (None, "") else f" = {fallback}"
                line = f"{arrow} [cyan]{port['name']}[/cyan]: {port['type']}{escape(needed)}"
                console.print(Padding(f"{line}  [dim]{escape(port['description'])}[/dim]", (0, 0, 0, 4)))
        console.print()
    console.print("[bold]Pipelines[/bold]")
    for pipeline in catalog["pipelines"]:
        console.print(Padding(f"[bold]{pipeline['name']}[/bold]  {escape(pipeline['description'])}", (0, 0, 0, 2)))
