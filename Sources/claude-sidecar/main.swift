print("claude-sidecar")
