"""Keystone: whether a project that an administrator names is there."""

import logging

from nova import context as nova_context
from nova import errors
from nova.clients import session

LOG = logging.getLogger(__name__)


class Client:
    """`protocols.IdentityClient` over HTTP."""

    def __init__(self, service: session.Service) -> None:
        self._service = service

    def check_project(self, context: nova_context.RequestContext, project_id: str) -> None:
        """See `IdentityClient.check_project`."""
        def unknown(message: str) -> errors.NovaError:
            return errors.identity.ProjectUnknown(project=project_id)
        try:
            answer = self._service.call('GET', f'/projects/{project_id}', context=context, on={404: unknown},
                                        allow=(403,))
        except errors.identity.IdentityServiceFailed as error:
            LOG.warning('Whether project %s exists cannot be asked, so it is taken to: %s', project_id, error)
            return
        if answer.status == 403:
            LOG.info('Keystone does not let user %s see whether project %s exists, so it is taken to',
                     context.user_id, project_id)
