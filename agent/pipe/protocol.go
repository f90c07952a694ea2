package pipe

// The words between launcher and agent, version 1. A line is a word, and what it needs
// behind a space.
const (
	// Hello is the agent's first line. A new version that says anything else fails its
	// trial at once.
	Hello = "jujube-launcher/1 hello from the agent"

	// The agent says:
	Ready   = "ready"   // it works; sent once
	Alive   = "alive"   // its main loop turns. Whoever said it once must go on saying it; 1.25.1 and before never do
	Healthy = "healthy" // healthy ORDER: the version on trial has proved itself
	Restart = "restart" // please start me again

	// The launcher says:
	Committed = "committed" // committed ORDER: the version is kept, the journal says so
	Stop      = "stop"      // stop stop|keep: end, and stop or keep the workloads
)

// What happens to workloads when the launcher is stopped.
const (
	WorkloadsStop = "stop"
	WorkloadsKeep = "keep"
)

// File descriptors of the agent's ends of the pipes.
const (
	FDToLauncher   = 3
	FDFromLauncher = 4
)
