"""What a host answers about itself and its guests; see `nova.rpc.questions`."""

import logging

from nova import context as nova_context
from nova import errors
from nova.common import threads
from nova.compute import handle
from nova.objects.question import (
    ConsolePlace,
    GuestAnswer,
    GuestList,
    GuestQuestion,
    GuestsQuestion,
    HostQuestion,
    HostUptime,
    ImageList,
)

LOG = logging.getLogger(__name__)

CONSOLE_TEXT = 100 * 1024
"""Characters of a guest's log that are told at most, the last ones."""

_PROXIES = {
    'novnc': ('vnc', 'novncproxy_base_url'),
    'spice-html5': ('spice', 'html5proxy_base_url'),
    'spice-direct': ('spice', 'spice_direct_proxy_base_url'),
    'serial': ('serial_console', 'base_url'),
    'webmks': ('mks', 'mksproxy_base_url'),
}
"""Group and option of the address of the proxy to a kind of console."""


class Answers:
    """Answers for one host.

    Args:
        images: fetches images.
    """

    def __init__(self, hosting: handle.Hosting, images: threads.Pool) -> None:
        self._conf, self._driver, self._hosting = hosting.conf, hosting.driver, hosting
        self._images = images

    def console(self, context: nova_context.RequestContext, asked: GuestQuestion) -> ConsolePlace:
        """Where a console listens.

        Raises:
            ConsoleTypeUnavailable: this host offers none of this kind.
        """
        kind = asked.kind or ''
        group, option = _PROXIES.get(kind, (None, ''))
        if group is None or not self._conf[group].enabled or not self._conf[group][option]:
            raise errors.virt.ConsoleTypeUnavailable(type=kind)
        found = self._driver.console(self._hosting.handle(asked.instance, context), kind)
        return ConsolePlace(base_url=self._conf[group][option], host=found.host, port=found.port,
                            tls_port=found.tls_port, internal_access_path=found.internal_access_path)

    def cache_images(self, context: nova_context.RequestContext, wanted: ImageList) -> None:
        """Fetch images one after the other, while nothing else waits for it."""
        for image in wanted.images:
            self._images.background(self._cache, image)

    def _cache(self, image: str) -> None:
        try:
            fetched = self._driver.cache_image(self._hosting.clients, image)
        except errors.NovaError as error:
            LOG.warning('Image %s was not cached: %s', image, error.message)
            return
        LOG.info('Image %s is cached%s', image, '' if fetched else ' already')

    def console_output(self, context: nova_context.RequestContext, asked: GuestQuestion) -> GuestAnswer:
        """The end of the guest's log, at most `CONSOLE_TEXT` of it."""
        text = self._driver.console_output(self._hosting.handle(asked.instance, context), asked.lines)
        return GuestAnswer(value=text[-CONSOLE_TEXT:])

    def guests(self, context: nova_context.RequestContext, asked: GuestsQuestion) -> GuestList:
        return GuestList(servers=sorted(self._driver.guests()))

    def uptime(self, context: nova_context.RequestContext, asked: HostQuestion) -> HostUptime:
        return HostUptime(text=self._driver.host_uptime())

    def diagnostics(self, context: nova_context.RequestContext, asked: GuestQuestion) -> GuestAnswer:
        return GuestAnswer(value=self._driver.diagnostics(self._hosting.handle(asked.instance, context)))
