package bus

// NewRates and Allow are for tests of how often a machine is heard.
var NewRates = newRates

func (r *rates) Allow(tag string) bool { return r.allow(tag) }
