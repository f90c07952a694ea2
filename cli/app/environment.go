package app

import "slices"

// Environment is what this client notes of one environment: JUJU_DATA/environments/NAME.yaml.
type Environment struct {
	Name     string    `yaml:"name"`
	UUID     string    `yaml:"uuid"`
	Operator string    `yaml:"operator"`
	URLs     []string  `yaml:"urls"`               // none while its bootstrap is not finished
	Machines []Machine `yaml:"machines,omitempty"` // on this host, with files that this client made
}

// Machine is a machine on this host: which process runs it and where its files are.
type Machine struct {
	ID      string `yaml:"id"`
	DataDir string `yaml:"data_dir"`
	PID     int    `yaml:"pid,omitempty"`           // 0: this client did not start it
	Started uint64 `yaml:"started_ticks,omitempty"` // when the process began: a reused PID began at another time
}

// Machine finds a machine on this host by its id.
func (e Environment) Machine(id string) (m Machine, found bool) {
	i := slices.IndexFunc(e.Machines, func(m Machine) bool { return m.ID == id })
	if i < 0 {
		return Machine{}, false
	}
	return e.Machines[i], true
}

// StateServerDir is the data directory of machine 0 if that machine is on this host, else empty.
func (e Environment) StateServerDir() string {
	m, _ := e.Machine("0")
	return m.DataDir
}

// Put notes a machine on this host. It replaces what was noted of that machine before.
func (e *Environment) Put(m Machine) {
	e.Drop(m.ID)
	e.Machines = append(e.Machines, m)
}

// Drop forgets a machine on this host.
func (e *Environment) Drop(id string) {
	e.Machines = slices.DeleteFunc(e.Machines, func(m Machine) bool { return m.ID == id })
}
