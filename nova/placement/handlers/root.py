"""``/``: which versions there are. Open to everybody."""

from nova.common import clock
from nova.placement import history
from nova.placement.context import Context, Reply


def show(ctx: Context) -> Reply:
    """List the versions of the service."""
    return Reply(body={'versions': [{
        'id': 'v1.0', 'max_version': str(history.MAX), 'min_version': str(history.MIN), 'status': 'CURRENT',
        'links': [{'rel': 'self', 'href': ''}],
    }]}, modified=clock.utcnow())
