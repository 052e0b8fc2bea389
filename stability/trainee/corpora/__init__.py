"""The embedded corpora (`en`, `fa`) and the script that made them; no loading code lives here."""
