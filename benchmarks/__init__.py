"""What is measured of orchwatchd, side by side with what it is compared with; `make bench` runs it."""
