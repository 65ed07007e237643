"""A local ECR, offline providers and the real engine: what runs a stack without AWS."""
