"""The rule types, a file per family. `rules.conditions` has the list."""
