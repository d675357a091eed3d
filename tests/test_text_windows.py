"""Token windows cover every token, in order, within bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raxe.text import windows


@st.composite
def arguments(draw: st.DrawFn) -> tuple[int, int, int]:
    """A length, a size and a stride that the function accepts."""
    size = draw(st.integers(1, 600))
    return draw(st.integers(0, 5000)), size, draw(st.integers(1, size))


@given(arguments())
def test_every_token_is_in_a_window(args: tuple[int, int, int]) -> None:
    """The union of the windows is the whole range of tokens."""
    length, size, stride = args
    covered: set[int] = set()
    for start, end in windows(length, size, stride):
        covered.update(range(start, end))
    assert covered == set(range(length))


@given(arguments())
def test_windows_rise_and_overlap(args: tuple[int, int, int]) -> None:
    """Starts rise by at most the stride, so that neighbours share at least size - stride tokens."""
    length, size, stride = args
    starts = [start for start, _ in windows(length, size, stride)]
    assert all(0 < after - before <= stride for before, after in pairwise(starts))


@given(arguments())
def test_windows_are_full_and_end_at_the_length(args: tuple[int, int, int]) -> None:
    """Every window holds min(size, length) tokens, the first starts at 0 and the last ends at the length."""
    length, size, stride = args
    found = windows(length, size, stride)
    assert all(end - start == min(size, length) for start, end in found)
    assert not length or (found[0][0] == 0 and found[-1][1] == length)


@given(arguments())
def test_no_window_is_needless(args: tuple[int, int, int]) -> None:
    """There are as few windows as the stride allows."""
    length, size, stride = args
    assert len(windows(length, size, stride)) == (-(-max(0, length - size) // stride) + 1 if length else 0)


@pytest.mark.parametrize("args", [(-1, 4, 2), (4, 4, 0), (4, 4, 5), (4, 0, 0)])
def test_bad_arguments_are_refused(args: tuple[int, int, int]) -> None:
    """A negative length, or a stride that skips tokens or does not move, raises ValueError."""
    with pytest.raises(ValueError, match="windows need"):
        windows(*args)
