"""Entry points. No library is imported here: each decides on its concurrency first."""

import warnings

# One of them imports eventlet to see whether it is there; who does not use it need not read about it.
warnings.filterwarnings('ignore', message=r'\s*Eventlet is deprecated')
