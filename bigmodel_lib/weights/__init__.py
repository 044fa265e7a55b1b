"""Real weights in and out: safetensors files, Hugging Face folders, and where to find them."""
