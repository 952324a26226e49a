"""``python -m roadsafety_components.cli``."""

from roadsafety_components.cli import main

main()
