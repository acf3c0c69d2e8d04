"""Northbound: each link takes records from the store and gives back what was confirmed."""
