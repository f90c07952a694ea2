// Package systemd holds the unit files of jujud: juju bootstrap prints the one of a state server,
// and docs/tasks says where to install the one of a machine.
package systemd

import (
	_ "embed"
	"path/filepath"
	"strings"
)

var (
	// Machine is the unit of a machine.
	//go:embed jujud-machine.service
	Machine string

	//go:embed jujud-state-server.service
	stateServer string
)

// StateServerUser is the user that a state server runs as, and MakeUser is the command that makes it.
const (
	StateServerUser = "jujud"
	MakeUser        = `systemd-sysusers --inline 'u jujud - "Jujube state server" /var/lib/juju'`
)

// What the files say of the program and of the data directory.
const (
	program  = "/usr/local/bin/jujud"
	stateDir = "/var/lib"
	dataDir  = stateDir + "/juju"
)

// StateServer is the unit of a state server with that program and that data directory. before is
// what its administrator does once before the first start.
//
// Below /var/lib systemd gives the directory to the state server's user when it starts the unit.
// Any other directory the administrator gives him.
func StateServer(jujud, dir string) (unit string, before []string) {
	before = []string{MakeUser}
	keep := "ReadWritePaths=" + dir
	if below, err := filepath.Rel(stateDir, dir); err == nil && filepath.IsLocal(below) && below != "." {
		keep = "StateDirectory=" + below + "\nStateDirectoryMode=0700"
	} else {
		before = append(before, "chown -R "+StateServerUser+": "+dir)
	}
	text := strings.ReplaceAll(stateServer, "StateDirectory=juju\nStateDirectoryMode=0700", keep)
	return strings.NewReplacer(program, jujud, dataDir, dir).Replace(text), before
}
