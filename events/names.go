package events

import (
	"fmt"
	"regexp"
	"strings"
)

// Names of things, as Juju 1.25 writes them: a machine has an id ("3") and a tag
// ("machine-3"), a unit a name ("web/0") and a tag ("unit-web-0").
var (
	serviceRE = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*$`)
	unitRE    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]*[a-z][a-z0-9]*)*/(0|[1-9][0-9]{0,8})$`)
)

// MachineTag gives the tag of a machine id: "machine-3" for "3".
func MachineTag(id string) string { return "machine-" + id }

// UnitTag gives the tag of a unit name: "unit-web-0" for "web/0".
func UnitTag(name string) string { return "unit-" + strings.ReplaceAll(name, "/", "-") }

// IsMachine says whether id is a machine id ("0", "17"). It uses no regular expression, because
// each fold of each report calls it.
func IsMachine(id string) bool {
	if len(id) < 1 || len(id) > 9 || id[0] == '0' && id != "0" {
		return false
	}
	for i := range len(id) {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
	}
	return true
}

// IsService says whether name may name a service ("web", "mysql-master"). Source: Juju 1.25.
func IsService(name string) bool { return serviceRE.MatchString(name) && len(name) <= 64 }

// IsUnit says whether name is a unit name ("web/0").
func IsUnit(name string) bool { return unitRE.MatchString(name) && len(name) <= 80 }

// IsID says whether id may name an upgrade, an order, a request or an environment: 1 to
// 64 letters, digits, - or _.
func IsID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return len(id) >= 1 && len(id) <= 64
}

func needMachine(id string) error {
	if !IsMachine(id) {
		return fmt.Errorf("machine %q is not a number such as 3", id)
	}
	return nil
}

func needID(what, id string) error {
	if !IsID(id) {
		return fmt.Errorf("%s id %q is not 1 to 64 letters, digits, - or _", what, id)
	}
	return nil
}

func needText(what, text string, limit int) error {
	if len(text) > limit {
		return fmt.Errorf("%s has %d bytes, limit %d", what, len(text), limit)
	}
	return nil
}

// Entities of which an environment has one. An entity is the log subject of the facts about it,
// without the log's prefix.
const (
	entityEnvironment = "environment"
	entityTools       = "tools"
	entityTrust       = "trust"
	entityTrustSigned = "metadata" // not below entityTrust: machines listen there
)

// IsOrder says whether the facts about an entity are what a machine obeys: its orders, or its list
// of units.
func IsOrder(entity string) bool { return strings.HasPrefix(entity, "order.") }

func entityMachine(id string) string    { return "machine." + MachineTag(id) }
func entityUnit(name string) string     { return "unit." + UnitTag(name) }
func entityUpgrade(id string) string    { return "upgrade." + id }
func entityRequest(id string) string    { return "request." + id }
func entityAgentOrder(id string) string { return "order." + MachineTag(id) + ".agent" }
func entityUnitsOrder(id string) string { return "order." + MachineTag(id) + ".units" }
