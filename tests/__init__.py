"""Tests: they mirror the packages, and run the whole road end to end."""
