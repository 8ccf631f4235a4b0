"""The law as dated data: packs, and who may add to them."""
