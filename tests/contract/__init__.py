"""What every channel promises. Written once; a new channel gets it all by existing."""
