"""What the network service says has changed is asked of it anew, beside whatever else is done to the server."""

from nova import objects
from nova.steps import interfaces
from nova.task.flow import SHARING, Flow, Step


class RefreshNetwork(Flow[objects.State]):
    """Not seen among a server's actions: nobody asked for it."""

    name = 'refresh_network'
    exclusion = SHARING
    steps = (Step(interfaces.refresh_network),)
    deadline = 600.0
