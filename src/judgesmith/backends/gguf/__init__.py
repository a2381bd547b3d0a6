"""GGUF files: made by llama.cpp's own converter and quantiser, read by llama.cpp in a process."""
