"""Emulated TPMs of a host's guests: the passphrases that open them, and what they keep.

libvirt keeps what a TPM has in a directory of its own, encrypted by the guest's passphrase, and removes it with
the domain. It knows the passphrase, in memory alone, only while a guest is started, or comes running.

A guest that moves while it is off takes its TPM along as a file among its disks (`Paths.tpm`). Where that file
is there it is what the TPM has: its guest has not been started since it came.
"""

import functools
import grp
import pathlib
import pwd
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import libvirt
from oslo_config import cfg

from nova import errors
from nova.domain import tpm
from nova.keymgr import Keys
from nova.task.handles import Host
from nova.virt.libvirt import transfer, xml
from nova.virt.libvirt.paths import Paths
from nova.virt.libvirt.session import Session

STATES = pathlib.Path('/var/lib/libvirt/swtpm')
"""Where libvirt has them."""

_FILES = {'1.2': ('tpm1.2', 'tpm-00.permall'), '2.0': ('tpm2', 'tpm2-00.permall')}
"""Version to directory and file of what lasts."""

P = ParamSpec('P')
R = TypeVar('R')


class Tpms:
    """Those of one host.

    Args:
        keys: where passphrases come from.
    """

    def __init__(self, conf: cfg.ConfigOpts, session: Session, keys: Keys) -> None:
        self._conf, self._session, self._keys = conf, session, keys

    # Passphrases

    def open(self, h: Host) -> None:
        """Have libvirt know the passphrase; `close` follows. Repeatable.

        Raises:
            errors.server.PassphraseUnavailable: the key manager does not give it.
        """
        secret = tpm.secret_of(h.instance)
        if secret is None or not self._conf.libvirt.swtpm_enabled:
            return
        passphrase = self._keys.reveal(h.context, secret)
        made = self._session.conn.secretDefineXML(xml.text(xml.tpm_secret(h.instance.uuid)))
        made.setValue(passphrase.encode('ascii'))

    def close(self, h: Host) -> None:
        """Have libvirt forget it. Repeatable."""
        if tpm.secret_of(h.instance) is None:
            return
        try:
            self._session.conn.secretLookupByUUIDString(h.instance.uuid).undefine()
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_SECRET:
                raise

    # What they keep

    def save(self, h: Host, paths: Paths) -> None:
        """Put what the TPM of a guest that is off keeps into its file, if it ever started. Repeatable."""
        version = tpm.version_of(h.instance)
        if version is None or paths.tpm.exists():
            return
        directory, name = _FILES[version]
        paths.home.mkdir(exist_ok=True)
        coming = paths.home / 'tpm.coming'
        with self._states(h, directory) as states:
            there = states.get(name, coming)
        if there:
            coming.rename(paths.tpm)

    def restore(self, h: Host, paths: Paths) -> None:
        """Give the TPM of a guest that is about to start what is in its file. Repeatable."""
        version = tpm.version_of(h.instance)
        if version is None or not paths.tpm.exists():
            return
        directory, name = _FILES[version]
        with self._states(h, directory) as states:
            states.put(paths.tpm, name, self._owner())
        paths.tpm.unlink()

    def _states(self, h: Host, directory: str) -> transfer.Directory:
        return transfer.Directory(self._session.conn, STATES / h.instance.uuid / directory, h.instance.uuid)

    def _owner(self) -> transfer.Owner:
        names = self._conf.libvirt
        try:
            return transfer.Owner(pwd.getpwnam(names.swtpm_user).pw_uid, grp.getgrnam(names.swtpm_group).gr_gid)
        except KeyError as error:
            raise errors.virt.DriverFailed(
                reason=f'[libvirt] swtpm_user and swtpm_group of this host: {error.args[0]}') from error


class HasTpms(Protocol):
    """A driver."""

    tpms: Tpms


D = TypeVar('D', bound=HasTpms)


def closing(method: Callable[Concatenate[D, Host, P], R]) -> Callable[Concatenate[D, Host, P], R]:
    """A method that may start the guest: afterwards libvirt does not know the passphrase of its TPM, whatever
    became of it, and of one that was killed before."""
    @functools.wraps(method)
    def call(self: D, h: Host, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, h, *args, **kwargs)
        finally:
            self.tpms.close(h)
    return call
