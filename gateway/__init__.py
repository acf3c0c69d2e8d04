"""Tocsin, the edge gateway: wires, stamps, stores, tells."""

__version__ = "0.1.0"
