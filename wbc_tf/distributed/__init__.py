"""The same work on several machines: listed here, done by workers, told here."""
