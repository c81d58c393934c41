"""What a guest is told about itself, by the metadata service and on its config drive alike.

`subject.Subject` is what is known; `ec2` and `openstack` say it in two older ways, at every dated version of
each; `tree` finds a path in them and lists what a config drive holds.
"""
