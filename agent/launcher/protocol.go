package launcher

// The words between launcher and agent, version 1. A line is a word, and what it needs
// behind a space. Both ignore words they do not know, so either side may be newer.
const (
	// Hello is the agent's first line. A new version that says anything else fails its
	// trial at once.
	Hello = "jujube-launcher/1 hello from the agent"

	// The agent says:
	wordReady   = "ready"   // it works; sent once
	wordHealthy = "healthy" // healthy ORDER: the version on trial has proved itself
	wordRestart = "restart" // please start me again

	// The launcher says:
	wordCommitted = "committed" // committed ORDER: the version is kept, the journal says so
	wordStop      = "stop"      // stop stop|keep: end, and stop or keep the workloads
)

// File descriptors of the agent's ends of the pipes.
const (
	fdToLauncher   = 3
	fdFromLauncher = 4
)
