"""The desk-top outside world: pretend banks, SMS operator and mailbox, for development and tests only."""
