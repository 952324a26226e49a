"""How core travels inside a lightweight step, how the same step becomes a container, and how specs are kept."""
