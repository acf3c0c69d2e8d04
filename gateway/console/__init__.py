"""The local API: JSON and a stream of changes. The CLI speaks it over a Unix socket."""
