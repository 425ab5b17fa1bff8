"""Errors that a person is meant to read: one line, naming the file or table, the column and the value."""


class MondayMixError(Exception):
    """Base of every error the project raises on purpose; the command line prints it as one line."""


class InputError(MondayMixError, ValueError):
    """Input that can't be used; says which file or table, which column, which value, and what to do."""
