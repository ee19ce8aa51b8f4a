"""Everything of the students that needs torch or skorch."""
