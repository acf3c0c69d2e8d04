"""GST9000 fire panels: the records they send to a printer. Pure."""
