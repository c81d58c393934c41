"""[notifications]: what is told to whoever listens on the bus; [oslo_messaging_notifications] says how."""

import oslo_messaging.opts
from oslo_config import cfg

GROUP = 'notifications'
OPTS: list[cfg.Opt] = [
    cfg.StrOpt('notification_format', default='unversioned', choices=['unversioned', 'versioned', 'both'],
               help='''
Versioned notifications are sent with "versioned" and with "both", when a driver is configured. Unversioned ones
are not sent.'''),
    cfg.ListOpt('versioned_notifications_topics', default=['versioned_notifications'], help='''
Topics that every notification is sent to.'''),
    cfg.StrOpt('notify_on_state_change', choices=['vm_state', 'vm_and_task_state'], help='''
Send instance.update when vm_state, or either of vm_state and task_state, changes, and when what users say of a
server does. Unset sends none.'''),
    cfg.IntOpt('event_stream_hours', default=0, min=0, help='''
For how long notifications about servers are kept so that their projects can follow them by GET /events, whether
or not they are sent to a bus; 0 keeps none, and there is no such stream. All services of a deployment need the
same value.'''),
    cfg.BoolOpt('bdms_in_notifications', default=False, help='''
Name the volumes of a server in its notifications.'''),
    cfg.BoolOpt('include_share_mapping', default=False, help='''
Name the shares of a server in its notifications.'''),
]


def _of_the_bus() -> list[cfg.Opt]:
    """The library's own options, which it registers no earlier than it makes a transport."""
    return next(list(options) for group, options in oslo_messaging.opts.list_opts()
                if str(group) == 'oslo_messaging_notifications')


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)
    conf.register_opts(_of_the_bus(), group='oslo_messaging_notifications')


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
