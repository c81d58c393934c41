"""JSON as it is kept and sent."""

import tracemalloc

from nova.common import jsonutil


def test_what_is_written_takes_no_more_memory_than_it_is_long():
    """What orjson itself returns holds on to all the room in which it wrote."""
    value = {f'field{number}': 'x' * 50 for number in range(100)}
    length = len(jsonutil.dumps(value))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [jsonutil.dumps(value) for _ in range(100)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert jsonutil.loads(kept[-1]) == value
    assert after - before < 100 * length * 1.2
