"""The accounts of people: what they prefer, how they come in, and how they leave."""
