"""
HJ 212-2017 and -2025: how a stack's data logger talks to a platform.

Pure codec, nothing here opens a connection except ``driver.py``: ``frame.py`` bytes → Frame,
``reader.py`` a stream → frames, ``encode.py`` the strict way back, ``split.py`` parts of a packet.
"""
