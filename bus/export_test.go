package bus

// Budget, NewBudget, Take and the allowances are for tests of what everybody may spend.
var (
	NewBudget        = newBudget
	ReportAllowance  = reportAllowance
	RequestAllowance = requestAllowance
	EnrolAllowance   = enrolAllowance
)

type Budget = budget

func (b *budget) Take(key string, size int) error { return b.take(key, size) }

// Keys is how many keys it remembers.
func (b *budget) Keys() int { return len(b.spent) }

// Sent is how many messages the connection has sent.
func (c *Conn) Sent() uint64 { return c.nats.Stats().OutMsgs }
