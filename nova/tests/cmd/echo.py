"""A small service for tests of processes: says its pid; ``/slow`` takes a second; ``/die`` ends it."""

import os
import sys
import threading

from nova.common import threads


def app(environ, start_response):
    path = environ['PATH_INFO']
    if path == '/die':
        os._exit(3)
    if path == '/slow':
        threading.Event().wait(1.0)
    if path == '/debug':
        body = str(CONF[0].debug).encode()
    else:
        body = str(os.getpid()).encode()
    start_response('200 OK', [('Content-Length', str(len(body)))])
    return [body]


CONF: list = []


def build(conf, listen):
    from nova.cmd import launch, web
    CONF.append(conf)
    server = web.WebServer(app, listen, 4, conf.graceful_shutdown_timeout)
    return launch.Service(server.start, (server.stop,), {'bus': lambda: os.environ.get('ECHO_ILL')})


def main():
    threads.choose('threading')
    from nova.cmd import launch
    return launch.main('echo', 'nova.tests.cmd.echo', build, lambda conf: conf.osapi_compute_workers or 1,
                       lambda conf: (conf.osapi_compute_listen, conf.osapi_compute_listen_port))


if __name__ == '__main__':
    sys.exit(main())
