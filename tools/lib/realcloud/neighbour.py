"""What each neighbour is: the files, commands and processes of a service from PyPI."""

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

import cluster_config
import cluster_schema

from realcloud.deployment import VENV, Deployment

SERVE = pathlib.Path(__file__).parent / 'plugins' / 'serve_wsgi.py'
THREADS = 8
"""Of each API; one process is enough for two cores."""


@dataclasses.dataclass(frozen=True)
class Neighbour:
    """A service beside ours.

    Attributes:
        files: file name to its sections, for a deployment.
        fill: command lines that make its tables, in order.
        processes: process to its command line and environment.
        directories: below its state, made before anything else.
    """

    name: str
    files: Callable[[Deployment], dict[str, cluster_config.Sections]]
    fill: Callable[[Deployment], Sequence[list[str]]]
    processes: Callable[[Deployment], dict[str, tuple[list[str], dict[str, str]]]]
    directories: tuple[str, ...] = ()

    def write(self, deployment: Deployment) -> None:
        """Write its configuration."""
        for name in ('lock', *self.directories):
            (deployment.state(self.name) / name).mkdir(parents=True, exist_ok=True)
        for file, sections in self.files(deployment).items():
            cluster_config.write(deployment.etc(self.name) / file, cluster_config.ini(sections))

    def make_schema(self, deployment: Deployment) -> None:
        """Fill its database; raises `servers.NotStarted` with what was said when a command fails."""
        for words in self.fill(deployment):
            cluster_schema.run_script(words, deployment.environment(), VENV / 'bin')


def api(deployment: Deployment, process: str, application: str, *arguments: str) -> list[str]:
    """Command line of an API; `arguments` are what its configuration is to be found by."""
    return [str(VENV / 'bin' / 'python'), str(SERVE), process, application, str(deployment.ports[process]),
            str(THREADS), *arguments]


def script(name: str, *arguments: str) -> list[str]:
    """Command line of a program of the neighbours' virtual environment."""
    return [str(VENV / 'bin' / name), *arguments]
