"""A stand-in for AWS, EKS, DNS and a git host, made of real parts around moto.

Everything here runs on one machine, uses the standard library alone beside moto itself, and knows
nothing of drctl: it is reached through ordinary settings (endpoint URLs, a resolver address, a
repository URL). See README.md in this folder for the verbs and the admin interface.
"""
