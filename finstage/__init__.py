"""Wiring and identity. Importing it costs nothing: the supervisor lives in it and stays small."""
