"""What a stage refuses; the command line prints it without a traceback and exits with 2."""


class Refused(ValueError):
    """What a stage was given cannot be used; the message says what and where, never a text."""


class InvalidShard(Refused):
    """Lines of a shard are no rows; names file, line and field of the first ten."""
