"""The tests: one folder for each package, one file for each module of the others."""
