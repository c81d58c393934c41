"""Callers of every kind, and who of them has a rule's role."""

IMPLIED = {'admin': ('admin', 'manager', 'member', 'reader'), 'manager': ('manager', 'member', 'reader'),
           'member': ('member', 'reader'), 'reader': ('reader',), 'service': ('service',), 'none': ()}
"""What a token has for each role, as Keystone expands it."""
IN_PROJECT = {'admin': {'admin'}, 'manager': {'admin', 'manager'}, 'member': {'admin', 'manager', 'member'},
              'reader': {'admin', 'manager', 'member', 'reader'}, 'service': {'admin', 'service'},
              'any': set(IMPLIED), 'nobody': set(), 'owner-user': set(IMPLIED)}
"""Callers who have a rule's role, about their own project."""
ANYWHERE = {'admin': {'admin'}, 'manager': {'admin'}, 'member': {'admin'}, 'reader': {'admin'},
            'service': {'admin', 'service'}, 'any': set(IMPLIED), 'nobody': set(), 'owner-user': {'admin'}}
"""And about another project, and another user."""
