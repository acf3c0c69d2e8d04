"""Finding out who is on a line and what he says: plans, probes, scores and the ear. All of it pure."""
