"""What the identity service says, or does not."""

from nova.errors import base


class ProjectUnknown(base.Invalid):
    template = 'Project ID {project} is not a valid project.'


class IdentityServiceFailed(base.Unavailable):
    template = 'The identity service cannot be used at this time.'


class IdentityServiceAway(IdentityServiceFailed):
    """Not now: it is there again in a moment."""

    again = True


class LimitsFailed(base.Unavailable):
    template = 'The limits of the project cannot be read from the identity service at this time.'


class LimitsAway(LimitsFailed):
    """Not now: they are there again in a moment."""

    again = True
