"""How often Python looks for garbage that refers to itself.

By default it does so for every 700 new objects, and again and again walks through all that a process has loaded:
here some half a million objects that stay to the end. A seventh of the time of a request goes there.
"""

import gc

_NEW_OBJECTS = 10_000


def settle() -> None:
    """Say that what is loaded stays. For a process that has loaded what it needs; before it forks, if it does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
