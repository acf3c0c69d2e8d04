"""Modbus: requests and answers as bytes, frames, block plans and the device."""
