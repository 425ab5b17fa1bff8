"""Benchmarks: anyone can run them again; the figures stand in README.md beside this file."""
