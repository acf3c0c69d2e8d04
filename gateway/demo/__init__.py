"""The demo: a simulated community on this machine, through the same programs that a real site runs."""
