"""Reports by other countries' rules: IPCC, EU, US, and the carbon border."""
