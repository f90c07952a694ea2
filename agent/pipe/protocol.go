package pipe

// The words between launcher and agent, version 1. A line is one word, and after a space what
// that word needs.
const (
	// Hello is the agent's first line. A new version that says anything else fails its
	// trial at once.
	Hello = "jujube-launcher/1 hello from the agent"

	// The agent says:
	Ready   = "ready"   // it has started and works; sent once
	Alive   = "alive"   // its main loop runs. An agent that said it once must go on saying it; 1.25.1 and before never do
	Healthy = "healthy" // healthy ORDER: the version on trial has proved itself
	Restart = "restart" // start the agent again when it ends now

	// The launcher says:
	Committed = "committed" // committed ORDER: the version is kept, the journal says so
	Stop      = "stop"      // stop stop|keep: end now, and stop the workloads or keep them running
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
