"""What belongs to other services, and clients that send no microversion still ask here: passed on as the user.

Each module is one noun, up to the version that ended it; it says the other service's answer in the older words.
"""
