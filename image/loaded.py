"""Print the files of every module that the import statements of the steps load, one a line.

Bytecode of these only is in the image. The rest of scipy, pandas and others compiles when something does import it.
"""

import ast
import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "roadsafety_components"
STEPS = ("core/*.py", "components/*.py", "cli/step.py")


def imported_names(source: Path) -> set[str]:
    """Names in a file's import statements, wherever they stand; those that are no modules too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def main() -> None:
    """Import everything, tell what was loaded."""
    root = Path(importlib.util.find_spec(PACKAGE).origin).parent
    sources = sorted(path for pattern in STEPS for path in root.glob(pattern))
    names = {".".join((PACKAGE, *path.relative_to(root).with_suffix("").parts)) for path in sources}
    for name in sorted(names.union(*map(imported_names, sources))):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:  # a function's name, or what only compiling and submitting pipelines need
            continue
    files = {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
    print(*sorted(file for file in files if file.endswith(".py") and file != __file__), sep="\n")


main()
