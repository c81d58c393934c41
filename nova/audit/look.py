"""Two looks at a deployment that is in use: what is only passing is in one of them alone."""

from nova.audit import compare, facts
from nova.common import threads

SURE = 5.0
"""Seconds after which a worker that lives has told so: several beats."""


def look(deployment: facts.Deployment, between: float) -> tuple[facts.Facts, list[compare.Difference]]:
    """What is known of the deployment, and where it does not agree.

    Args:
        between: seconds between two looks; there is one look where the first finds nothing and nothing goes on.

    Raises:
        oslo_db.exception.DBError: the API database cannot be read.
    """
    first = facts.gather(deployment)
    found = set(compare.differences(first))
    if not found and not first.beats:
        return first, []
    threads.sleep(between)
    second = facts.gather(deployment)
    still = found & set(compare.differences(second))
    if between >= SURE:
        still |= set(compare.abandoned(first, second))
    return second, sorted(still)
