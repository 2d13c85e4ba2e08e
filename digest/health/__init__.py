"""What /healthz, /readyz and the doctor ask. Each check takes what it looks at and says one Verdict."""

from digest.health.processes import faults

__all__ = ["faults"]
