"""What it means to judge: dialects, the one renderer, the one parser. Pure."""
