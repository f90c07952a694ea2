package status

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// States of a workload and of a unit's agent. Source: Juju 1.25.
const (
	WorkloadWaiting    = "waiting"
	WorkloadActive     = "active"
	WorkloadTerminated = "terminated"
	WorkloadError      = "error"
	WorkloadUnknown    = "unknown"

	UnitAllocating = "allocating"
	UnitIdle       = "idle"
	UnitLost       = "lost"
)

// worst orders the states of workloads: a higher number is worse.
var worst = map[string]int{
	WorkloadActive: 1, WorkloadTerminated: 2, WorkloadWaiting: 3, WorkloadUnknown: 4, WorkloadError: 5,
}

func makeServices(s *projections.State) Map[Service] {
	byName := map[string]map[string]*projections.Unit{}
	for name, u := range s.Units {
		if byName[u.Service] == nil {
			byName[u.Service] = map[string]*projections.Unit{}
		}
		byName[u.Service][name] = u
	}
	return ordered(byName, func(units map[string]*projections.Unit) Service {
		svc := Service{Units: ordered(units, func(u *projections.Unit) Unit { return makeUnit(s, u) })}
		svc.ServiceStatus = svc.status()
		return svc
	})
}

// status is the workload status of the unit whose status is the worst; of several, of the first by name.
func (s *Service) status() State {
	var st State
	for _, u := range s.Units {
		if w := u.Value.WorkloadStatus; worst[w.Current] > worst[st.Current] {
			st = State{Current: w.Current, Message: w.Message, Since: w.Since}
			if st.Message != "" {
				st.Message = u.Name + ": " + st.Message
			}
		}
	}
	return st
}

// makeUnit shows a unit. It never says more than is known: whether the workload on a lost machine runs is
// unknown.
func makeUnit(s *projections.State, u *projections.Unit) Unit {
	out := Unit{
		Machine:        u.Machine,
		User:           u.RunsAs(),
		WorkloadStatus: State{Current: workload(u.State), Message: u.Info, Since: stamp(u.Since)},
		AgentStatus:    State{Current: UnitIdle, Since: stamp(u.Since), Version: number(u.Version)},
	}
	m := s.Machines[u.Machine]
	if m != nil {
		out.PublicAddress = m.Hostname
	}
	switch {
	case m == nil:
		out.AgentStatus.Current, out.AgentStatus.Message = UnitLost, "machine "+u.Machine+" does not exist"
		out.WorkloadStatus = State{Current: WorkloadUnknown}
	case m.Lost:
		was := out.WorkloadStatus.Current
		out.AgentStatus = State{
			Current: UnitLost, Message: "machine " + u.Machine + " is down",
			Since: stamp(m.Since), Version: number(u.Version),
		}
		out.WorkloadStatus = State{Current: WorkloadUnknown, Message: join("("+was+")", u.Info), Since: stamp(m.Since)}
	case u.State == events.UnitPending:
		out.AgentStatus.Current = UnitAllocating
		out.WorkloadStatus.Message = "waits for machine " + u.Machine + " to start it"
	}
	return out
}

func workload(state string) string {
	switch state {
	case events.UnitPending:
		return WorkloadWaiting
	case events.UnitStarted:
		return WorkloadActive
	case events.UnitStopped:
		return WorkloadTerminated
	case events.UnitError:
		return WorkloadError
	}
	return WorkloadUnknown
}
