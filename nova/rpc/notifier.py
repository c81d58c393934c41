"""Sends notifications by the drivers of oslo.messaging that ``[oslo_messaging_notifications]`` names.

The library's own notifier logs what it cannot send and forgets it. Here the error is raised, so that who sends
may come again; and the message keeps the id that was given to it, however often it is sent.
"""

import oslo_messaging
from oslo_config import cfg
from oslo_messaging.notify import messaging
from oslo_messaging.notify import notifier as library
from stevedore import named

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.rpc import transport

RETRIES = 1
"""Inside the library: one, which is what it takes to replace a connection that went stale."""


class _Raising(messaging.MessagingDriver):
    """The library's driver for its transports, which tells when it cannot send."""

    def notify(self, ctxt: JsonObject, message: JsonObject, priority: str, retry: int) -> None:
        for topic in self.topics:
            self.transport._send_notification(
                oslo_messaging.Target(topic=f'{topic}.{priority.lower()}'), ctxt, message,
                version=self.version, retry=retry)


_OVER_THE_BUS = {'messaging': 1.0, 'messagingv2': 2.0}
"""Drivers that send over a transport, and the format that each sends."""


class Notifier:
    """The drivers that are configured, over the bus that is (``transport_url`` of that group, else our own).

    Raises:
        errors.Invalid: there is no such driver.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        transport.register_stray_options(conf)
        self._transport = oslo_messaging.get_notification_transport(conf)
        names = [name for name in conf.oslo_messaging_notifications.driver if name]
        how = {'topics': conf.notifications.versioned_notifications_topics, 'transport': self._transport}
        self._drivers: list[library.Driver] = [
            _Raising(conf, version=_OVER_THE_BUS[name], **how) for name in names if name in _OVER_THE_BUS]
        others = [name for name in names if name not in _OVER_THE_BUS]
        if others:
            found: named.NamedExtensionManager = named.NamedExtensionManager(
                'oslo.messaging.notify.drivers', names=others, invoke_on_load=True, invoke_args=(conf,),
                invoke_kwds=how)
            missing = sorted(set(others) - set(found.names()))
            if missing:
                raise errors.Invalid('[oslo_messaging_notifications] driver names what is not installed: '
                                     + ', '.join(missing))
            self._drivers += [each.obj for each in found]

    def send(self, message: JsonObject) -> None:
        """Send a message, whole with ``message_id``, ``priority`` and all.

        Raises:
            errors.bus.BusAway: the broker does not take it now.
        """
        try:
            for driver in self._drivers:
                driver.notify({}, message, message['priority'], RETRIES)
        except transport.BROKER as error:
            raise errors.bus.BusAway(f'A notification cannot be sent: {type(error).__name__}.') from error

    def close(self) -> None:
        self._transport.cleanup()
