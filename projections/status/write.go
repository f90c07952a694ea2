package status

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/projections/plain"
)

// Options say how a status is written.
type Options struct {
	UTC  bool           // times as RFC 3339 in UTC instead of Juju's "02 Jan 2006 15:04:05-07:00"
	Zone *time.Location // the zone of times in Juju's layout; nil: UTC
}

// Formats are the formats that Write knows. The first one is the default of juju status.
var Formats = []string{"tabular", "yaml", "json", "oneline", "short", "line", "summary"}

// Write writes st in one of the Formats, and returns an error for any other format. "short" and "line" are
// other names of "oneline". Text that came from a host or a person is escaped, so that a terminal obeys
// none of it.
func Write(w io.Writer, format string, st Status, o Options) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var err error
	switch format {
	case "tabular":
		writeTabular(out, st, o)
	case "oneline", "short", "line":
		writeOneline(out, st)
	case "summary":
		writeSummary(out, st)
	case "json":
		err = writeJSON(out, st, o)
	case "yaml":
		err = writeYAML(out, st, o)
	default:
		return fmt.Errorf("format %q is not one of %s", format, strings.Join(Formats, ", "))
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func writeJSON(out *bufio.Writer, st Status, o Options) error {
	b, err := json.Marshal(st.in(o))
	if err != nil {
		return err
	}
	out.Write(plain.JSON(b))
	return out.WriteByte('\n')
}

// in gives a copy of s whose times are written as the options say.
func (s Status) in(o Options) Status {
	if o.UTC {
		return s
	}
	s.Log.Time = o.time(s.Log.Time)
	s.EnvironmentStatus.LostSources = slices.Clone(s.EnvironmentStatus.LostSources)
	for i := range s.EnvironmentStatus.LostSources {
		l := &s.EnvironmentStatus.LostSources[i]
		l.Since = o.time(l.Since)
	}
	if t := &s.EnvironmentStatus.Trust; t.State != "" {
		t.Fresh, t.Holds = o.time(t.Fresh), o.time(t.Holds)
	}
	if u := s.Upgrade; u != nil {
		c := *u
		c.Started = o.time(c.Started)
		s.Upgrade = &c
	}
	if l := s.LastUpgrade; l != nil {
		c := *l
		c.Ended = o.time(c.Ended)
		s.LastUpgrade = &c
	}
	s.Requests = slices.Clone(s.Requests)
	for i := range s.Requests {
		s.Requests[i].Until = o.time(s.Requests[i].Until)
	}
	s.Machines = each(s.Machines, func(m Machine) Machine {
		m.Since = o.time(m.Since)
		return m
	})
	s.Services = each(s.Services, func(svc Service) Service {
		svc.ServiceStatus.Since = o.time(svc.ServiceStatus.Since)
		svc.Units = each(svc.Units, func(u Unit) Unit {
			u.WorkloadStatus.Since = o.time(u.WorkloadStatus.Since)
			u.AgentStatus.Since = o.time(u.AgentStatus.Since)
			return u
		})
		return svc
	})
	return s
}

func each[T any](m Map[T], f func(T) T) Map[T] {
	out := make(Map[T], len(m))
	for i, e := range m {
		out[i] = Entry[T]{e.Name, f(e.Value)}
	}
	return out
}

// time writes a time of a Status as the options say. Source of the layout: Juju 1.25.
func (o Options) time(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if o.UTC || err != nil {
		return s
	}
	zone := o.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("02 Jan 2006 15:04:05-07:00")
}
