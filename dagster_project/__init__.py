"""The orchestration of Monday Mix: assets, partitions, schedules, checks, resources, the command line.

Belongs here: glue of a few lines each. Does not: business rules, SQL logic, training loops; those are
in `warehouse/` and `models_ml/`.
"""

import os

# implicit and NumPy parallelise by blocks of their own; a second layer of BLAS threads only makes them
# wait for each other. It has to be said before NumPy is loaded anywhere.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
