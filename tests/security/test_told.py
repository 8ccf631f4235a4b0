"""A refused peer is an event and an act, once; a certificate that ends soon is told as well."""

from pathlib import Path

from tests.security.told import what_a_gateway_tells


async def test_what_a_gateway_tells_of_wrong_peers(tmp_path: Path) -> None:
    told = await what_a_gateway_tells(tmp_path)
    assert told.missing == []
