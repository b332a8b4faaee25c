"""The kinds of resources that are made by calls to moto's services."""

from moto_padron.kinds import network

ALL = (*network.KINDS,)
