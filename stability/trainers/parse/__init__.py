"""What programs print and write -> numbers. No process, no torch; every part takes bytes, lines or rows."""
