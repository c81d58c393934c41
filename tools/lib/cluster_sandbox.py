"""The sandbox as a process of its own: identity, image, network and volume of a cluster.

    python tools/lib/cluster_sandbox.py DIR      until SIGTERM
"""

import pathlib
import signal
import sys
import threading

import cluster_config
import guest_hosts

from nova.sandbox import app, bootstrap


def main() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    deployment = cluster_config.Deployment.load(pathlib.Path(sys.argv[1]))
    directory = deployment.directory / 'sandbox'
    directory.mkdir(exist_ok=True)
    sandbox = app.Sandbox(f'sqlite:///{directory}/sandbox.db', directory, public_url=deployment.url)
    made = bootstrap.bootstrap(sandbox, deployment.passwords)
    if deployment.guests:
        bootstrap.add_image(sandbox, made.projects['admin'], guest_hosts.IMAGE)
        sandbox.ports.bridge = 'br100'
    server = app.Server(sandbox.application, port=deployment.ports['sandbox']).start()
    ended.wait()
    server.stop()
    sandbox.close()


if __name__ == '__main__':
    main()
