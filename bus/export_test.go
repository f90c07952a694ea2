package bus

// NewRates and Allow are for tests of how often a machine is heard.
var NewRates = newRates

func (r *rates) Allow(tag string) bool { return r.allow(tag) }

// Sent is how many messages the connection has sent.
func (c *Conn) Sent() uint64 { return c.nats.Stats().OutMsgs }
