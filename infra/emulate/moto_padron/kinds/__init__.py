"""The kinds of resources that are made by calls to moto's services."""

from moto_padron.kinds import identity, network, services, storage, watch

ALL = (*identity.KINDS, *network.KINDS, *services.KINDS, *storage.KINDS, *watch.KINDS)
