"""From next-token scores to text: sampling, caches, beam search."""
