"""Types that moto has no service for: nothing stands behind these."""

from moto_padron.kind import Stub

ALL: tuple[Stub, ...] = ()
