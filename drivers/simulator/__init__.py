"""Plays the devices of a site: registers from personas, real frames, real line speed, faults on demand."""
