"""Pins of this machine: relays and contacts wired to a Raspberry Pi, through gpiozero."""
