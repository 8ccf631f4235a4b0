"""What a plant installs, and how it is proven: locks, wheels, SBOM, licences, advisories."""
