package projections

import (
	"maps"
	"slices"
)

// Clone gives an independent copy: folding into one State never changes the other. Both share the parts
// that Fold replaces as a whole and never changes in place: reasons, commands, signed bytes, each Pending,
// Asking.
func (s *State) Clone() *State {
	c := *s
	c.Settings = maps.Clone(s.Settings)
	c.Machines = cloneEach(s.Machines)
	c.Revoked = maps.Clone(s.Revoked)
	c.Dismissed = maps.Clone(s.Dismissed)
	c.Hosts = maps.Clone(s.Hosts)
	c.Units = cloneEach(s.Units)
	c.Tools = cloneEach(s.Tools)
	c.Marks = maps.Clone(s.Marks)
	c.Lost = cloneEach(s.Lost)
	c.Orders = cloneEach(s.Orders)
	c.Pending = maps.Clone(s.Pending)
	c.Upgrade = s.Upgrade.clone()
	c.Asked = s.Asked.clone()
	c.Past = slices.Clone(s.Past)
	c.Requests = maps.Clone(s.Requests)
	c.NextUnit = maps.Clone(s.NextUnit)
	c.Skipped = maps.Clone(s.Skipped)
	c.Disbelieved = maps.Clone(s.Disbelieved)
	c.recent = slices.Clone(s.recent)
	return &c
}

func cloneEach[T any](m map[string]*T) map[string]*T {
	values := make([]T, len(m)) // one allocation for all
	c := make(map[string]*T, len(m))
	i := 0
	for k, v := range m {
		values[i] = *v
		c[k] = &values[i]
		i++
	}
	return c
}
