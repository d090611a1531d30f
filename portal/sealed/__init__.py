"""Sealed storage: what is personal leaves this package only encrypted."""
