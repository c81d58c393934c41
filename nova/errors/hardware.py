"""CPUs, memory pages, NUMA and PCI devices."""

from nova.errors import base


class ExtraSpecInvalid(base.Invalid):
    template = "Invalid value for extra spec '{key}': {reason}"


class CpuPolicyInvalid(base.Invalid):
    template = 'Invalid CPU policy: {reason}'


class PageSizeInvalid(base.Invalid):
    template = "Invalid memory page size '{value}'"


class NumaInvalid(base.Invalid):
    template = 'Invalid NUMA topology: {reason}'


class PciAliasNotFound(base.Invalid):
    template = 'PCI alias {alias} is not defined'


class PciRequestFailed(base.Conflict):
    template = 'PCI device request failed: {reason}'


class DevicesExhausted(base.Conflict):
    template = 'Not enough {kind} devices on host {host}'
