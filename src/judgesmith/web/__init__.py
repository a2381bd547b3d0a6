"""What every server of the package needs: where it listens, who is let in, what browsers may do."""
