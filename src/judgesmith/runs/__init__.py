"""What is on disk: run folders, record files, manifests and recipes."""
