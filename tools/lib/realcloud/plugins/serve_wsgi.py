"""Serve a neighbour's WSGI application on loopback, in the neighbours' virtual environment.

    python serve_wsgi.py NAME MODULE:ATTRIBUTE PORT THREADS [ARGUMENT...]

The applications read ``sys.argv`` when they are imported, so that gunicorn's own command line would not do.
"""

import importlib
import sys
from typing import Any

from gunicorn.app.base import BaseApplication


class Server(BaseApplication):
    """One process with threads."""

    def __init__(self, name: str, target: str, port: int, threads: int) -> None:
        self._target = target
        self._settings = {
            'bind': f'127.0.0.1:{port}', 'workers': 1, 'threads': threads, 'worker_class': 'gthread',
            'timeout': 300, 'graceful_timeout': 5, 'keepalive': 75, 'proc_name': name,
            'control_socket_disable': True,
            'accesslog': '-', 'access_log_format': '%(t)s "%(r)s" %(s)s %(b)s %(M)sms',
            'limit_request_field_size': 0, 'limit_request_line': 0}
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._settings.items():
            self.cfg.set(key, value)

    def load(self) -> Any:
        module, _, attribute = self._target.partition(':')
        return getattr(importlib.import_module(module), attribute)


if __name__ == '__main__':
    name, target, port, threads, *rest = sys.argv[1:]
    sys.argv = [name, *rest]
    Server(name, target, int(port), int(threads)).run()
