package targets

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jujube-project/jujube/projections"
)

// NewestUnit is the unit of a service with the highest number; nil when it has none.
func NewestUnit(s *projections.State, service string) *projections.Unit {
	units := Units(s, service)
	if len(units) == 0 {
		return nil
	}
	return slices.MaxFunc(units, func(a, b *projections.Unit) int { return cmp.Compare(unitNumber(a), unitNumber(b)) })
}

func unitNumber(u *projections.Unit) int {
	_, digits, _ := strings.Cut(u.Unit, "/")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return n
}

// Units are the units of a service, sorted by name.
func Units(s *projections.State, service string) []*projections.Unit {
	var units []*projections.Unit
	for _, name := range slices.Sorted(maps.Keys(s.Units)) {
		if u := s.Units[name]; u.Service == service {
			units = append(units, u)
		}
	}
	return units
}
