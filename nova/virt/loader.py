"""Drivers by name."""

import importlib
import pathlib

from oslo_config import cfg

from nova import errors
from nova.virt.driver import Driver


def load(conf: cfg.ConfigOpts, host: str, state_dir: pathlib.Path | None = None) -> Driver:
    """The driver that ``[DEFAULT] compute_driver`` names: ``fake.FakeDriver`` is class `FakeDriver` of
    `nova.virt.fake.driver`.

    A driver class has ``build(conf, host, state_dir)``.

    Raises:
        errors.Invalid: none is named, or there is no such driver.
    """
    name = conf.compute_driver
    if not name:
        raise errors.Invalid('compute_driver is not set: the compute service needs a hypervisor driver.')
    package, _, kind = name.rpartition('.')
    try:
        module = importlib.import_module(f'{__package__}.{package}.driver')
        found = getattr(module, kind)
    except (ImportError, AttributeError, ValueError) as error:
        raise errors.Invalid(f'Driver {name!r} of compute_driver cannot be loaded: {error}') from error
    driver: Driver = found.build(conf, host, state_dir)
    return driver
