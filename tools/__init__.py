"""What sets the project up. Standard library only: it runs before anything is installed."""
