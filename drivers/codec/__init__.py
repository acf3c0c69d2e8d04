"""The pieces of `drivers.points`: layout of raw numbers, scaling, one point, encoding, finishing."""
