"""Small trainings of many kinds, recorded as they went and labelled by their own evaluation.

`record.py` records them; no rule of the project is read here.
"""
