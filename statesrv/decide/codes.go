package decide

// Codes of refusals. They are stable; docs and scripts name them.
const (
	codeMalformed = "malformed"
	codeUnknown   = "unknown-action"
	codeNoMachine = "no-such-machine"
	codeNoUnit    = "no-such-unit"
	codeNoService = "no-such-service"
	codeExists    = "service-exists"
	codeTooMany   = "too-many"
	codeBadValue  = "bad-value"
	codeInUse     = "in-use"
	codeOldAgent  = "old-agent"
)
