"""Applications for web servers of others: they use threads, which is said before any library is imported."""

from nova.common import threads

threads.choose_default()
