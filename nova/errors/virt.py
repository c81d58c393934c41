"""Hypervisors, guests, migrations and consoles."""

from nova.errors import base


class GuestNotFound(base.NotFound):
    template = 'Guest of instance {server} does not exist on this host.'


class DriverFailed(base.Internal):
    template = 'The hypervisor driver failed: {reason}'


class HypervisorUnavailable(base.Unavailable):
    """It is being restarted, for instance."""

    again = True
    template = 'The hypervisor cannot be reached: {reason}'


class Unsupported(base.Conflict):
    template = 'The hypervisor does not support this operation: {reason}'


class DetachFailed(base.Conflict):
    template = 'The guest of instance {server} does not let {device} go: {reason}'


class AgentUnavailable(base.Conflict):
    template = 'The agent of the guest of instance {server} cannot be reached: {reason}'


class MigrationImpossible(base.Conflict):
    """The guest cannot go there; another destination may do."""

    template = 'Instance {server} cannot be moved: {reason}'


class GuestArrived(base.Conflict):
    """There is no way back: what was to be rolled back has gone right."""

    template = 'The guest of instance {server} has arrived on this host.'


class MigrationFailed(base.Conflict):
    template = 'The move of instance {server} has failed: {reason}'


class BuildAborted(base.Internal):
    """The build cannot succeed on any host, so no alternate is tried."""

    everywhere = True
    template = 'Build of instance {server} aborted: {reason}'


class MigrationNotFound(base.NotFound):
    template = 'Migration {migration} could not be found.'


class MigrationInState(base.Invalid):
    template = "Migration {migration} of instance {server} is in status '{state}'; cannot {action}."


class ConsoleTypeUnavailable(base.Invalid):
    template = 'Console type {type} is not available.'


class ConsoleTokenNotFound(base.NotFound):
    template = 'Token not found'
