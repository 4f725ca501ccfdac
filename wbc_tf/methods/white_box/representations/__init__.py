"""The paper's three representations of a cartoon, one file each (section 3.1 to 3.3)."""
