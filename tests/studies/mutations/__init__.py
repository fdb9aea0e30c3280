"""Seeded damage to every kind of file that comes in, and what becomes of it; run by `tests/studies/hostile.py`."""
