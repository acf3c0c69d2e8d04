"""DL/T 645 energy meters: frames, data identifiers, relay orders. Pure."""
