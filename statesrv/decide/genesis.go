package decide

import (
	"errors"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Genesis is how an environment begins.
type Genesis struct {
	UUID         string
	Name         string
	AgentVersion version.Number
	Operators    []events.Operator
	Settings     map[string]string // set from the start
	Machine      events.MachineEnrolled
	Root         string       // sha256 of the first root of its signed metadata
	Published    *Publication // that metadata
}

// Begin opens an empty log: the environment, its metadata, its settings and machine 0. A log
// that lacks only the metadata gets that.
func Begin(at At, g Genesis) (Decision, error) {
	if at.State.Seq > 0 {
		return Published(at, g.Published), nil
	}
	created := Fact{ID: at.NewID(), Payload: &events.EnvironmentCreated{
		UUID: g.UUID, Name: g.Name, AgentVersion: g.AgentVersion, Operators: admins(g.Operators),
		Root: g.Root, Settings: g.Settings, Machine: g.Machine.Key,
	}}
	d := Decision{Facts: []Fact{created}}
	for _, p := range g.Published.payloads(at.State) {
		d.Facts = append(d.Facts, Fact{Cause: created.ID, Payload: p})
	}
	for _, key := range sortedKeys(g.Settings) {
		if reason := checkSetting(key, g.Settings[key]); reason != nil {
			return Decision{}, errors.New(reason.Text)
		}
		d.Facts = append(d.Facts, Fact{Cause: created.ID, Payload: &events.SettingChanged{Key: key, Value: g.Settings[key]}})
	}
	d.Facts = append(d.Facts, Fact{Cause: created.ID, Payload: &g.Machine})
	return d, nil
}

// admins are the operators that an environment begins with: they may do everything, until
// signed metadata says who may.
func admins(operators []events.Operator) []events.Operator {
	list := slices.Clone(operators)
	for i := range list {
		if len(list[i].Grants) == 0 {
			list[i].Grants = []events.Grant{{Role: events.RoleAdmin}}
		}
	}
	return list
}

// SnapshotTaken records that the state was written down.
func SnapshotTaken(s *events.SnapshotTaken) Decision { return facts(s) }
