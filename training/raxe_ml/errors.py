"""What a stage refuses; the command line prints it without a traceback and exits with 2."""

from pydantic import ValidationError


class Refused(ValueError):
    """What a stage was given cannot be used; the message says what and where, never a text."""


class InvalidShard(Refused):
    """Lines of a shard are no rows; names file, line and field of the first ten."""


def first_fault(error: ValidationError) -> str:
    """The first wrong field of a row and what is wrong with it, without its value."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{first['loc'][0] if first['loc'] else 'row'}: {first['msg']}"
