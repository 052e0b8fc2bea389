"""What programs print or write -> numbers, for `run`, `import` and `init`.

No process, no torch, no database; every part takes bytes, lines or rows.
"""
