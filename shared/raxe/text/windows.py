"""Token windows: how a text that is longer than the encoder's limit is read in full.

The classifier asks for them; every token lies in at least one window, so nothing is cut.
"""


def windows(length: int, size: int, stride: int) -> list[tuple[int, int]]:
    """Half-open token ranges ``[start, end)`` in rising order that cover ``[0, length)``.

    Neighbours overlap by at least ``size - stride`` tokens. The last window ends at ``length`` and is moved back so
    that it is full; only a text shorter than ``size`` gives a shorter window. A length of 0 gives no window.

    Args:
        length: tokens of the text, 0 or more.
        size: tokens of a window, 1 or more.
        stride: tokens between the starts of two windows, 1 to ``size``.

    Raises:
        ValueError: when an argument is out of its range.
    """
    if length < 0 or not 1 <= stride <= size:
        raise ValueError("windows need length >= 0 and 1 <= stride <= size")
    if length <= size:
        return [(0, length)] if length else []
    starts = [*range(0, length - size, stride), length - size]
    return [(start, start + size) for start in starts]
