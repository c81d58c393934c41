"""Accelerators."""

from nova.domain.spec_catalog import Spec, Text

SPECS = [Spec('accel:device_profile', Text(), 'Device profile of the accelerator service.')]
