"""A strict stand-in for Route 53: it enforces what AWS does and moto does not.

Signatures, element order, atomic batches, exact DELETE, limits, one change at a time for each zone,
throttling, PENDING before INSYNC, paging by name, type and identifier, both shapes of error XML.
"""
