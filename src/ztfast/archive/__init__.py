"""Archives: many captures judged in segments, by workers on one machine or many.

Contract: `plan` says what is to be done and `ArchiveJob.run` does it; what comes out equals one
`ztfast filter` over the same files, however the work was cut, ordered and interrupted.
"""

from ztfast.archive.dask_workers import DaskWorkers as DaskWorkers
from ztfast.archive.job import ArchiveJob as ArchiveJob
from ztfast.archive.job import plan as plan
from ztfast.archive.local import LocalWorkers as LocalWorkers
from ztfast.archive.ray_workers import RayWorkers as RayWorkers
from ztfast.archive.result import ArchiveResult as ArchiveResult
