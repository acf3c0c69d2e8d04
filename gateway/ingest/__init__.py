"""The other end: MQTT to the database, acknowledged only after the write, with receipts to the gateways."""
