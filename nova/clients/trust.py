"""The word of a user that outlives his request: his token, sealed, for what a task makes in his name.

Ports, volumes and reservations that a user asks for are made as the user, so that his services' rules hold; but
they are made by a task, which must survive the process that took the request. Whoever has only a database, its
backup or the bus can do nothing with a seal.
"""

from collections.abc import Sequence

from oslo_log import log

from nova import context as nova_context
from nova import errors
from nova.common import sealed

LOG = log.getLogger(__name__)


class Trust:
    """Takes the word of users, and gives it to the steps of their operations.

    Args:
        secrets: of our own credentials; who knows these could ask the neighbours without a user's token.
            Without any, our own calls have no rights that a user's could lack, and no token is kept.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._seal = sealed.Seal(secrets) if secrets else None

    def entrust(self, context: nova_context.RequestContext) -> str | None:
        """What a task needs to act for this user. It is to be forgotten as soon as it was used."""
        return self._seal.close(context.auth_token) if self._seal and context.auth_token else None

    def hide(self, secret: str) -> str:
        """A password for a guest, as a task may keep it on its way to the host."""
        return self._seal.close(secret) if self._seal else secret

    def reveal(self, hidden: str) -> str:
        """On the host: what was hidden.

        Raises:
            NotEntrusted: it was sealed with other credentials.
        """
        if self._seal is None:
            return hidden
        try:
            return self._seal.open(hidden)
        except sealed.Broken:
            LOG.error('A sealed password cannot be opened: nova-api and nova-compute have different '
                      'credentials in [neutron].')
            raise errors.task.NotEntrusted() from None

    def trusted(self, context: nova_context.RequestContext, trust: str | None) -> nova_context.RequestContext:
        """The context of a task, as good as that of the request it comes from.

        Raises:
            NotEntrusted: nothing was entrusted, or it was sealed with other credentials.
        """
        if self._seal is None:
            return context
        try:
            token = self._seal.open(trust or '')
        except sealed.Broken:
            if trust:
                LOG.error('A sealed token cannot be opened: nova-api and nova-conductor have different '
                          'credentials in [neutron].')
            raise errors.task.NotEntrusted() from None
        return context.from_dict(context.to_dict(), auth_token=token)
