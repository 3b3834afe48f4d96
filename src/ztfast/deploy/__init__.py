"""Rules and a controller: what is deployed, what a change would do there, and bringing it there."""
